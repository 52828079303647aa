//! Arithmetic modulo one prime of up to 342 bits, in six limbs of 64: nearly all of a private operation's time,
//! and the only arithmetic of this crate's own. It is there because it takes 0.4 of the time of crypto-bigint's, which
//! the tests hold it against.
//!
//! What must stay true:
//!
//! * Neither what is done nor where memory is read depends on a value: every loop has a fixed end, no branch and no
//!   index is taken from a number. The compiler's output for x86-64 (Rust 1.95) was read for it: `power` branches
//!   where its loops end, and nowhere else.
//! * The bounds below.
//!
//! # Bounds
//!
//! Let `p` be the modulus and `R` = 2³⁸⁴. A *residue* stands for `x` by `x·R` modulo `p`; it need not be below `p`,
//! but is below `2p`. No subtraction brings it there: of `a` and `b`, Montgomery's multiplication makes
//! `(a·b + q·p) / R` with some `q < R`, which is below `a·b/R + p`. So the result is below `2p` wherever `a·b ≤ R·p`.
//! Since `p < 2³⁴²`, that holds for `a < p` and any `b < R`, and for `a` and `b` below `2²⁰·p`: sums of residues may
//! be multiplied as they are.
//!
//! Six limbs hold what stands between the steps as well. Behind step `i` of a multiplication that is less than
//! `a + p`: it was so before, and `(a + p + a·bᵢ + qᵢ·p) / 2⁶⁴` is at most
//! `(a + p + (a + p)·(2⁶⁴ - 1)) / 2⁶⁴ = a + p`. Of a square it is less than `2a + p`, since the parts of `a²` added
//! until then, `aₖ·2⁶⁴ᵏ` times less than `2a` for each `k ≤ i`, are less than `2a·2⁶⁴⁽ⁱ⁺¹⁾`. Hence `a` has to be
//! below `2³⁸³ - p`. Tests are built to panic if a carry were lost.

#[cfg(target_arch = "x86_64")]
mod avx2;

use std::hint::black_box;
use std::ops::Deref;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U384};
use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, Zeroizing};

/// Limbs of a number.
const LIMBS: usize = 6;
/// Bits of the largest modulus.
pub(crate) const BITS: u32 = 342;
/// Bits of an exponent that one look-up takes. Five take as many multiplications, and twice the table.
const WINDOW: usize = 4;
/// Windows of an exponent.
const WINDOWS: usize = (BITS as usize).div_ceil(WINDOW);

/// A number, least significant limb first.
pub(crate) type Limbs = [u64; LIMBS];

/// A residue: see the head of the module. It is below 2p, but for what is said to be for a multiplication, which then
/// has to be its next use.
#[derive(Clone, Copy)]
pub(crate) struct Residue(Limbs);

impl Zeroize for Residue {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// A prime, and what is computed of it once. Wiped when dropped.
pub(crate) struct Field {
    prime: Limbs,
    /// -1/p modulo 2⁶⁴.
    inverse: u64,
    /// The residue of one: R.
    one: Residue,
    /// R², R³, R⁴, all modulo p, below p.
    powers: [Limbs; 3],
    /// p - 2, the exponent of the inverse.
    inverting: Limbs,
}

impl Drop for Field {
    fn drop(&mut self) {
        self.prime.zeroize();
        self.inverse.zeroize();
        self.one.zeroize();
        self.powers.zeroize();
        self.inverting.zeroize();
    }
}

impl Field {
    /// `prime` has at most [`BITS`] bits.
    pub(crate) fn new(prime: &Odd<U384>) -> Self {
        debug_assert!(prime.as_ref().bits() <= BITS);
        let params = FixedMontyParams::new(*prime);
        let times_r = |number: &U384| *FixedMontyForm::new(number, &params).as_montgomery();
        let one = times_r(&U384::ONE);
        let square = times_r(&one);
        let cube = times_r(&square);
        let prime = limbs(prime.as_ref());
        // Newton's iteration doubles the right bits; an odd number is its own inverse modulo 8.
        let inverse = (0..5).fold(prime[0], |inverse, _| {
            inverse.wrapping_mul(2u64.wrapping_sub(prime[0].wrapping_mul(inverse)))
        });
        Self {
            prime,
            inverse: inverse.wrapping_neg(),
            one: Residue(limbs(&one)),
            powers: [limbs(&square), limbs(&cube), limbs(&times_r(&cube))],
            inverting: limbs(&number(&prime).wrapping_sub(&U384::from(2u8))),
        }
    }

    /// The residue of any number below R.
    pub(crate) fn residue(&self, number: &Limbs) -> Residue {
        Residue(self.reduced_product(&self.powers[0], number))
    }

    /// `parts[0] + parts[1]·R + parts[2]·R²`, less than 6p: for a multiplication.
    pub(crate) fn sum_of_parts(&self, parts: &[Limbs; 3]) -> Residue {
        let [low, middle, high] =
            [0, 1, 2].map(|at| Residue(self.reduced_product(&self.powers[at], &parts[at])));
        low.plus(&middle).plus(&high)
    }

    /// The number below p that a residue stands for.
    pub(crate) fn number(&self, residue: &Residue) -> Limbs {
        // With b = 1 the result is at most p, since less than 2p/R + p.
        let reduced = self.reduced_product(&residue.0, &[1, 0, 0, 0, 0, 0]);
        let mut borrow = false;
        let difference: Limbs = std::array::from_fn(|at| {
            let limb;
            (limb, borrow) = reduced[at].borrowing_sub(self.prime[at], borrow);
            limb
        });
        let below = Choice::from(u8::from(borrow));
        std::array::from_fn(|at| u64::conditional_select(&difference[at], &reduced[at], below))
    }

    /// a·b.
    #[inline(never)]
    pub(crate) fn multiply(&self, a: &Residue, b: &Residue) -> Residue {
        Residue(self.reduced_product(&a.0, &b.0))
    }

    /// a².
    #[inline(never)]
    pub(crate) fn square(&self, a: &Residue) -> Residue {
        Residue(self.reduced_square(&a.0))
    }

    /// a - b + 2p, where `b` has to be below 2p and `a` may be a sum: for a multiplication.
    pub(crate) fn difference(&self, a: &Residue, b: &Residue) -> Residue {
        let (mut carry, mut borrow, mut below) = (false, false, 0);
        Residue(std::array::from_fn(|at| {
            let (sum, limb);
            (sum, carry) = a.0[at].carrying_add(self.prime[at] << 1 | below >> 63, carry);
            (limb, borrow) = sum.borrowing_sub(b.0[at], borrow);
            below = self.prime[at];
            limb
        }))
    }

    /// 1/a, by Fermat's little theorem; 0 of 0.
    pub(crate) fn inverse(&self, a: &Residue) -> Residue {
        self.power(a, &self.inverting)
    }

    /// a to a public exponent, whose bits the time taken shows.
    pub(crate) fn power_of_public(&self, a: &Residue, exponent: u32) -> Residue {
        (0..u32::BITS).rev().fold(self.one, |power, bit| {
            let power = self.square(&power);
            if exponent >> bit & 1 == 1 { self.multiply(&power, a) } else { power }
        })
    }

    /// a to the exponent's lower [`BITS`] bits.
    pub(crate) fn power(&self, a: &Residue, exponent: &Limbs) -> Residue {
        // The steps are laid out in here: a call hands its limbs over through memory, which costs half as much again.
        let mut table = Zeroizing::new([Residue([0; LIMBS]); 1 << WINDOW]);
        table[0] = self.one;
        table[1] = *a;
        for at in 1..table.len() / 2 {
            let even = self.reduced_square(&table[at].0);
            table[2 * at] = Residue(even);
            table[2 * at + 1] = Residue(self.reduced_product(&a.0, &even));
        }
        let mut power = picked(&table, window(exponent, WINDOWS - 1));
        for at in (0..WINDOWS - 1).rev() {
            for _ in 0..WINDOW {
                power = self.reduced_square(&power);
            }
            power = self.reduced_product(&power, &picked(&table, window(exponent, at)));
        }
        Residue(power)
    }

    /// `(a·b + q·p) / R`, in six steps that each add a limb of `b` times `a`, and a multiple of `p` that makes the
    /// lowest limb zero, and drop that.
    #[inline(always)]
    fn reduced_product(&self, a: &Limbs, b: &Limbs) -> Limbs {
        let mut sum = [0; LIMBS];
        for limb in b {
            let (low, mut carry) = limb.carrying_mul_add(a[0], sum[0], 0);
            let quotient = low.wrapping_mul(self.inverse);
            let (_, mut reducing) = quotient.carrying_mul_add(self.prime[0], low, 0);
            for at in 1..LIMBS {
                let added;
                (added, carry) = limb.carrying_mul_add(a[at], sum[at], carry);
                (sum[at - 1], reducing) = quotient.carrying_mul_add(self.prime[at], added, reducing);
            }
            sum[LIMBS - 1] = carry + reducing;
        }
        sum
    }

    /// `(a² + q·p) / R`. Step `i` adds the square of `aᵢ` and twice its products with the limbs above, which leaves
    /// out fifteen of 36 multiplications.
    #[inline(always)]
    fn reduced_square(&self, a: &Limbs) -> Limbs {
        // 2a, by limbs; and its limbs again as if those below were zero, for what begins there.
        let from_zero = a.map(|limb| limb << 1);
        let double: Limbs =
            std::array::from_fn(|at| if at == 0 { from_zero[0] } else { from_zero[at] | a[at - 1] >> 63 });
        let operands = Square { a, double: &double, from_zero: &from_zero };
        let mut sum = [0; 2 * LIMBS];
        self.square_step::<0>(&operands, &mut sum);
        self.square_step::<1>(&operands, &mut sum);
        self.square_step::<2>(&operands, &mut sum);
        self.square_step::<3>(&operands, &mut sum);
        self.square_step::<4>(&operands, &mut sum);
        self.square_step::<5>(&operands, &mut sum);
        let [.., g, h, i, j, k, l] = sum;
        [g, h, i, j, k, l]
    }

    /// One step of a square. The step's number is a constant, so that the compiler lays the loop out without branches.
    #[inline(always)]
    fn square_step<const STEP: usize>(&self, operands: &Square<'_>, sum: &mut [u64; 2 * LIMBS]) {
        let limb = operands.a[STEP];
        let mut carry = 0;
        if STEP == 0 {
            (sum[0], carry) = limb.carrying_mul_add(limb, 0, 0);
        }
        let quotient = sum[STEP].wrapping_mul(self.inverse);
        let (_, mut reducing) = quotient.carrying_mul_add(self.prime[0], sum[STEP], 0);
        for at in 1..LIMBS {
            let place = STEP + at;
            if at >= STEP {
                let factor = match at - STEP {
                    0 => limb,
                    1 => operands.from_zero[at],
                    _ => operands.double[at],
                };
                (sum[place], carry) = limb.carrying_mul_add(factor, sum[place], carry);
            }
            (sum[place], reducing) = quotient.carrying_mul_add(self.prime[at], sum[place], reducing);
        }
        sum[STEP + LIMBS] = carry + reducing;
    }
}

/// Three fields, whose powers are computed together where the processor can: see `avx2`.
pub(crate) struct Fields {
    fields: [Field; 3],
    #[cfg(target_arch = "x86_64")]
    together: Option<avx2::Together>,
}

impl Fields {
    pub(crate) fn new(fields: [Field; 3]) -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            together: avx2::Together::new(fields.each_ref()),
            fields,
        }
    }

    /// What [`Field::power`] makes of each field's base and exponent.
    pub(crate) fn powers(&self, bases: &[Residue; 3], exponents: &[Limbs; 3]) -> [Residue; 3] {
        #[cfg(target_arch = "x86_64")]
        if let Some(together) = &self.together {
            return together.powers(self.each_ref(), bases, exponents);
        }
        std::array::from_fn(|at| self[at].power(&bases[at], &exponents[at]))
    }
}

impl Deref for Fields {
    type Target = [Field; 3];

    fn deref(&self) -> &[Field; 3] {
        &self.fields
    }
}

/// A number to be squared, twice it, and twice each of its limbs.
struct Square<'a> {
    a: &'a Limbs,
    double: &'a Limbs,
    from_zero: &'a Limbs,
}

impl Residue {
    /// a + b, for a multiplication.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut carry = false;
        Self(std::array::from_fn(|at| {
            let limb;
            (limb, carry) = self.0[at].carrying_add(other.0[at], carry);
            limb
        }))
    }
}

/// The bits of an exponent that belong to a window.
fn window(exponent: &Limbs, at: usize) -> u64 {
    const IN_LIMB: usize = 64 / WINDOW;
    exponent[at / IN_LIMB] >> (WINDOW * (at % IN_LIMB)) & ((1 << WINDOW) - 1)
}

/// An entry of the table. All are read, and masks of ones and zeros let one through.
#[inline(always)]
fn picked(table: &[Residue; 1 << WINDOW], index: u64) -> Limbs {
    // Both are small: only 0 less one has its highest bit set. Whoever knows how a mask was made can replace it by a
    // branch, as LLVM does unless it is kept from knowing.
    let masks: [u64; 1 << WINDOW] =
        black_box(std::array::from_fn(|at| ((index ^ at as u64).wrapping_sub(1) >> 63).wrapping_neg()));
    let mut picked = [0; LIMBS];
    for (entry, mask) in table.iter().zip(masks) {
        for (limb, of) in picked.iter_mut().zip(entry.0) {
            *limb |= of & mask;
        }
    }
    picked
}

/// A number as this module has it.
pub(crate) fn limbs(number: &U384) -> Limbs {
    let bytes = Zeroizing::new(number.to_le_bytes());
    let mut limbs = [0; LIMBS];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.as_ref().as_chunks().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    limbs
}

/// A number as crypto-bigint has it.
pub(crate) fn number(limbs: &Limbs) -> U384 {
    let bytes = Zeroizing::new(limbs.map(u64::to_le_bytes));
    U384::from_le_slice(bytes.as_flattened())
}

#[cfg(test)]
mod tests;
