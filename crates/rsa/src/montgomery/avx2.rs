//! Powers modulo three primes at once, one in each lane of AVX2's vectors: a private operation's three take half as
//! long as one behind the other. The fourth lane computes with zeros.
//!
//! This module alone in the crate may use unsafe code: its instructions may run only where the processor has them,
//! and the rows of a multiplication are written in assembly, since the compiler keeps their sums in memory rather
//! than in the registers, which takes a third as long again or more. A [`Together`] can only be made by a `new` that has asked the
//! processor, and that is what every `target_feature` function rests on. The assembly reads what references point to,
//! and writes registers alone.
//!
//! What is done often has loops here, not closures that `map` or `from_fn` would call: those have AVX2, their callers
//! haven't, and so the compiler may leave them calls, which has more than doubled the time.
//!
//! What must stay true is what the head of `montgomery` asks for: no branch and no index is taken from a number. The
//! assembly has no branch at all, and multiplication, addition, shift and mask take the same time for all operands; of
//! the rest, the compiler's output was read for it.
//!
//! # Bounds
//!
//! Vectors multiply 32 bits by 32, and have no carries. So a number has twelve limbs of 29 bits here, and stands for
//! `x` by `x·S` modulo `p`, with `S` = 2³⁴⁸. Limbs may be up to 64 more than 29 bits hold ([`carried`]).
//!
//! *Sums.* In each place of a product at most twelve products of limbs are added, twelve more of a reduction, and one
//! carry. Limbs of primes and of quotients are below 2²⁹, so that is less than `12·(2²⁹ + 2⁶)² + 12·2⁵⁸ + 2³⁵ < 2⁶³`. A
//! square has the same sums, made of fewer products with doubled limbs, which still are below 2³².
//!
//! *Reduction.* Montgomery's step takes the lowest limb `t` to the quotient `t·k` modulo 2²⁹, where `k` = -1/p, and
//! adds its product with `p`. The quotient may be any number that makes the limb zero, and for the first eleven steps
//! it is `t·k` as it stands: then `(t + t·k·p) / 2²⁹ = t·f`, where `f = (k·p + 1) / 2²⁹` is less than `p` and known
//! beforehand, which spares a multiplication and the time to wait for it. The last step reduces its quotient. Of `a` and
//! `b` this makes `(a·b + q·p) / S` with `q < S·(2 + 2⁻²⁷)`, which is below `a·b/S + 2.1·p`. Where both are below `3p`,
//! `a·b/S` is less than `9p²/2³⁴⁸ < 0.15·p`. So what is below `3p` stays so.

#![allow(unsafe_code)]

use std::arch::asm;
use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_cmpeq_epi64, _mm256_extract_epi64, _mm256_or_si256,
    _mm256_set_epi64x, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_slli_epi64, _mm256_srli_epi64,
};

use zeroize::{Zeroize, Zeroizing};

use super::{Field, LIMBS, Limbs, Residue, WINDOW, WINDOWS, window};

/// Limbs of a number.
const PLACES: usize = 12;
/// Bits of a limb.
const WIDTH: u32 = 29;
/// Ones in all bits of a limb.
const MASK: u64 = (1 << WIDTH) - 1;
/// S: multiplied by it as by a residue, x·R gives x·S.
const S: Residue = Residue([0, 0, 0, 0, 0, 1 << 28]);
/// S times this is R.
const R_OF_S: Limbs = [1 << 36, 0, 0, 0, 0, 0];

/// A number in each lane.
type Numbers = [__m256i; PLACES];
/// The same with place i + 6 in the upper halves of place i.
type Packed = [__m256i; PLACES / 2];

// The assembly. Twelve registers hold the sums of twelve places; the lists of numbers name them, lowest place first.
// A reduction's step drops the lowest place, and the register that held it becomes the highest.

/// Adds the products of ymm12 and some limbs behind a pointer to sums.
macro_rules! add_products {
    ($limbs:literal $($place:literal $sum:literal)*) => { concat!($(
        "vpmuludq ymm13, ymm12, [", $limbs, " + 32 * ", $place, "]\n",
        "vpaddq ymm", $sum, ", ymm", $sum, ", ymm13\n",
    )*) };
}

/// Adds the products of ymm12 and all limbs behind a pointer to all sums.
macro_rules! add_row {
    ($limbs:literal; $s0:literal $s1:literal $s2:literal $s3:literal $s4:literal $s5:literal
        $s6:literal $s7:literal $s8:literal $s9:literal $s10:literal $s11:literal) => {
        add_products!($limbs 0 $s0 1 $s1 2 $s2 3 $s3 4 $s4 5 $s5 6 $s6 7 $s7 8 $s8 9 $s9 10 $s10 11 $s11)
    };
}

/// One of the first eleven steps of a reduction.
macro_rules! fold {
    ($s0:literal $s1:literal $s2:literal $s3:literal $s4:literal $s5:literal
        $s6:literal $s7:literal $s8:literal $s9:literal $s10:literal $s11:literal) => { concat!(
        "vpand ymm12, ymm", $s0, ", ymm15\n",
        "vpsrlq ymm", $s0, ", ymm", $s0, ", 29\n",
        "vpaddq ymm", $s1, ", ymm", $s1, ", ymm", $s0, "\n",
        add_products!("{folding}" 0 $s1 1 $s2 2 $s3 3 $s4 4 $s5 5 $s6 6 $s7 7 $s8 8 $s9 9 $s10 10 $s11),
        "vpmuludq ymm", $s0, ", ymm12, [{folding} + 32 * 11]\n",
    ) };
}

/// The last step of a reduction, but for the shift: the lowest place keeps its carry.
macro_rules! cancel {
    ($s0:literal $($s:literal)*) => { concat!(
        "vpmuludq ymm12, ymm14, ymm", $s0, "\n",
        "vpand ymm12, ymm12, ymm15\n",
        add_row!("{primes}"; $s0 $($s)*),
    ) };
}

/// A row for each limb of b: its products with a, and a step of the reduction.
macro_rules! product_rows {
    ($row:literal; $($s:literal)*) => { concat!(
        "vmovdqa ymm12, [{b} + 32 * ", $row, "]\n",
        add_row!("{a}"; $($s)*),
        cancel!($($s)*),
    ) };
    ($row:literal $($rows:literal)*; $s0:literal $($s:literal)*) => { concat!(
        "vmovdqa ymm12, [{b} + 32 * ", $row, "]\n",
        add_row!("{a}"; $s0 $($s)*),
        fold!($s0 $($s)*),
        product_rows!($($rows)*; $($s)* $s0),
    ) };
}

/// A row for each limb of a: its square, twice its products with the limbs above, and a step of the reduction. The
/// last list is of the sums that the row adds to: the square of limb i belongs 2i places up, which is i above the
/// lowest sum by then, so that each row's list begins one place later.
macro_rules! square_rows {
    ($row:literal; $($s:literal)*; $own:literal) => { concat!(
        "vmovdqa ymm12, [{a} + 32 * ", $row, "]\n",
        "vpmuludq ymm13, ymm12, ymm12\n",
        "vpaddq ymm", $own, ", ymm", $own, ", ymm13\n",
        cancel!($($s)*),
    ) };
    ($row:literal $($rows:literal)*; $s0:literal $($s:literal)*; $own:literal $next:literal $($above:literal)*) => {
        concat!(
            "vmovdqa ymm12, [{a} + 32 * ", $row, "]\n",
            "vpmuludq ymm13, ymm12, ymm12\n",
            "vpaddq ymm", $own, ", ymm", $own, ", ymm13\n",
            doubled_products!($($rows)*; $next $($above)*),
            fold!($s0 $($s)*),
            square_rows!($($rows)*; $($s)* $s0; $($above)* $s0),
        )
    };
}

/// Adds the products of ymm12 and the doubled limbs of some places to sums.
macro_rules! doubled_products {
    ($($place:literal)*; $($sum:literal)*) => { add_products!("{double}" $($place $sum)*) };
}

/// Three primes. Wiped when dropped.
pub(crate) struct Together {
    primes: Numbers,
    /// k.
    inverses: __m256i,
    /// f.
    folding: Numbers,
    ones: Numbers,
    /// What takes x·S to x·R.
    back: [Residue; 3],
}

impl Together {
    /// `None` where the processor hasn't the instructions.
    pub(crate) fn new(fields: [&Field; 3]) -> Option<Self> {
        if !is_x86_feature_detected!("avx2") {
            return None;
        }
        let primes = Zeroizing::new(fields.map(|field| split(&field.prime)));
        let inverses = Zeroizing::new(fields.map(|field| field.inverse & MASK));
        let folding = Zeroizing::new(std::array::from_fn(|at| folding(&primes[at], inverses[at])));
        let ones = Zeroizing::new(fields.map(|field| split(&field.multiply(&field.one, &S).0)));
        let back = fields.map(|field| field.residue(&R_OF_S));
        // SAFETY: the processor has AVX2, as was just asked.
        Some(unsafe {
            Self {
                primes: gathered(&primes),
                inverses: lanes(&inverses),
                folding: gathered(&folding),
                ones: gathered(&ones),
                back,
            }
        })
    }

    /// What [`Field::power`] makes of each field's base and exponent. The fields are those that `new` had.
    pub(crate) fn powers(
        &self,
        fields: [&Field; 3],
        bases: &[Residue; 3],
        exponents: &[Limbs; 3],
    ) -> [Residue; 3] {
        let split = Zeroizing::new(std::array::from_fn(|at| split(&fields[at].multiply(&bases[at], &S).0)));
        // SAFETY: the processor has AVX2, or `new` would have made nothing.
        let powers = Zeroizing::new(unsafe { self.powers_of(&split, exponents) });
        std::array::from_fn(|at| fields[at].multiply(&powers[at], &self.back[at]))
    }

    #[target_feature(enable = "avx2")]
    fn powers_of(&self, bases: &[[u64; PLACES]; 3], exponents: &[Limbs; 3]) -> [Residue; 3] {
        let bases = Zeroizing::new(gathered(bases));
        let mut power = *bases;
        let mut table = Zeroizing::new([packed(&self.ones); 1 << WINDOW]);
        table[1] = packed(&power);
        for entry in &mut table[2..] {
            power = self.product(&power, &bases);
            *entry = packed(&power);
        }
        power = picked(&table, lanes(&windows(exponents, WINDOWS - 1)));
        for at in (0..WINDOWS - 1).rev() {
            for _ in 0..WINDOW {
                power = self.square(&power);
            }
            power = self.product(&power, &picked(&table, lanes(&windows(exponents, at))));
        }
        let mut powers = Zeroizing::new([[0; PLACES]; 3]);
        for (at, limb) in power.into_iter().enumerate() {
            powers[0][at] = _mm256_extract_epi64::<0>(limb).cast_unsigned();
            powers[1][at] = _mm256_extract_epi64::<1>(limb).cast_unsigned();
            powers[2][at] = _mm256_extract_epi64::<2>(limb).cast_unsigned();
        }
        [joined(&powers[0]), joined(&powers[1]), joined(&powers[2])]
    }

    /// a·b/S.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn product(&self, a: &Numbers, b: &Numbers) -> Numbers {
        let mut sums = [_mm256_setzero_si256(); PLACES];
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11] = &mut sums;
        // SAFETY: the processor has AVX2. What is read are the twelve vectors behind each of the four references;
        // nothing is written but the registers named.
        unsafe {
            asm!(
                product_rows!(0 1 2 3 4 5 6 7 8 9 10 11; 0 1 2 3 4 5 6 7 8 9 10 11),
                a = in(reg) a, b = in(reg) b, folding = in(reg) &self.folding, primes = in(reg) &self.primes,
                inout("ymm0") *s0, inout("ymm1") *s1, inout("ymm2") *s2, inout("ymm3") *s3,
                inout("ymm4") *s4, inout("ymm5") *s5, inout("ymm6") *s6, inout("ymm7") *s7,
                inout("ymm8") *s8, inout("ymm9") *s9, inout("ymm10") *s10, inout("ymm11") *s11,
                out("ymm12") _, out("ymm13") _,
                in("ymm14") self.inverses, in("ymm15") mask(),
                options(pure, readonly, nostack),
            );
        }
        carried(&sums)
    }

    /// a²/S.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn square(&self, a: &Numbers) -> Numbers {
        let mut double = [_mm256_setzero_si256(); PLACES];
        for (double, limb) in double.iter_mut().zip(a) {
            *double = _mm256_add_epi64(*limb, *limb);
        }
        let mut sums = [_mm256_setzero_si256(); PLACES];
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11] = &mut sums;
        // SAFETY: as in `product`.
        unsafe {
            asm!(
                square_rows!(
                    0 1 2 3 4 5 6 7 8 9 10 11; 0 1 2 3 4 5 6 7 8 9 10 11; 0 1 2 3 4 5 6 7 8 9 10 11
                ),
                a = in(reg) a, double = in(reg) &double,
                folding = in(reg) &self.folding, primes = in(reg) &self.primes,
                inout("ymm0") *s0, inout("ymm1") *s1, inout("ymm2") *s2, inout("ymm3") *s3,
                inout("ymm4") *s4, inout("ymm5") *s5, inout("ymm6") *s6, inout("ymm7") *s7,
                inout("ymm8") *s8, inout("ymm9") *s9, inout("ymm10") *s10, inout("ymm11") *s11,
                out("ymm12") _, out("ymm13") _,
                in("ymm14") self.inverses, in("ymm15") mask(),
                options(pure, readonly, nostack),
            );
        }
        carried(&sums)
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        self.primes.zeroize();
        self.inverses.zeroize();
        self.folding.zeroize();
        self.ones.zeroize();
        self.back.zeroize();
    }
}

/// The limbs of the sums that a reduction leaves, in the registers' order: the lowest place is in the last one. Its 29
/// lower bits are zero, and what is above them belongs to the next.
///
/// Two passes suffice. A sum is below 2⁶³, and so what the first leaves below 2²⁹ + 2³⁴; the second then adds at most
/// 32 to what 29 bits hold. The highest place keeps what it has, less than `3p / 2³¹⁹`.
#[inline]
#[target_feature(enable = "avx2")]
fn carried(sums: &Numbers) -> Numbers {
    let add = |a, b| _mm256_add_epi64(a, b);
    let low = |sum| _mm256_and_si256(sum, mask());
    let high = |sum| _mm256_srli_epi64::<{ WIDTH as i32 }>(sum);
    let mut limbs = *sums;
    limbs[PLACES - 1] = _mm256_setzero_si256();
    limbs[0] = add(limbs[0], high(sums[PLACES - 1]));
    for _ in 0..2 {
        let before = limbs;
        for at in 0..PLACES {
            limbs[at] = if at == PLACES - 1 { before[at] } else { low(before[at]) };
            if at > 0 {
                limbs[at] = add(limbs[at], high(before[at - 1]));
            }
        }
    }
    limbs
}

/// An entry of the table for each lane. All are read, and masks of ones and zeros let one through.
#[inline]
#[target_feature(enable = "avx2")]
fn picked(table: &[Packed; 1 << WINDOW], indices: __m256i) -> Numbers {
    let mut picked = [_mm256_setzero_si256(); PLACES / 2];
    let mut at = _mm256_setzero_si256();
    for entry in table {
        let mask = _mm256_cmpeq_epi64(indices, at);
        for (limbs, of) in picked.iter_mut().zip(entry) {
            *limbs = _mm256_or_si256(*limbs, _mm256_and_si256(mask, *of));
        }
        at = _mm256_add_epi64(at, _mm256_set1_epi64x(1));
    }
    let mut numbers = [_mm256_setzero_si256(); PLACES];
    for (at, limbs) in picked.into_iter().enumerate() {
        // A multiplication reads the lower half of a limb alone.
        numbers[at] = limbs;
        numbers[at + PLACES / 2] = _mm256_srli_epi64::<32>(limbs);
    }
    numbers
}

#[inline]
#[target_feature(enable = "avx2")]
fn packed(numbers: &Numbers) -> Packed {
    let mut packed = [_mm256_setzero_si256(); PLACES / 2];
    for (at, limbs) in packed.iter_mut().enumerate() {
        *limbs = _mm256_or_si256(numbers[at], _mm256_slli_epi64::<32>(numbers[at + PLACES / 2]));
    }
    packed
}

#[inline]
#[target_feature(enable = "avx2")]
fn gathered([first, second, third]: &[[u64; PLACES]; 3]) -> Numbers {
    let mut numbers = [_mm256_setzero_si256(); PLACES];
    for (at, limbs) in numbers.iter_mut().enumerate() {
        *limbs = lanes(&[first[at], second[at], third[at]]);
    }
    numbers
}

#[inline]
#[target_feature(enable = "avx2")]
fn lanes([first, second, third]: &[u64; 3]) -> __m256i {
    _mm256_set_epi64x(0, third.cast_signed(), second.cast_signed(), first.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2")]
fn mask() -> __m256i {
    _mm256_set1_epi64x(MASK.cast_signed())
}

/// The bits of the exponents that belong to a window.
fn windows([first, second, third]: &[Limbs; 3], at: usize) -> [u64; 3] {
    [window(first, at), window(second, at), window(third, at)]
}

/// A number below 2³⁴⁸ in limbs of 29 bits.
fn split(number: &Limbs) -> [u64; PLACES] {
    std::array::from_fn(|place| {
        let (limb, bit) = (place * WIDTH as usize / 64, place * WIDTH as usize % 64);
        let above = number.get(limb + 1).copied().unwrap_or_default();
        // The shift is in two parts since there is none by 64.
        (number[limb] >> bit | above << 1 << (63 - bit)) & MASK
    })
}

/// The number that limbs stand for, which may have more than 29 bits.
fn joined(places: &[u64; PLACES]) -> Residue {
    let mut number = [0; LIMBS];
    let mut carry = 0;
    for (place, limb) in places.iter().enumerate() {
        carry += limb;
        let low = if place == PLACES - 1 { carry } else { carry & MASK };
        let (at, bit) = (place * WIDTH as usize / 64, place * WIDTH as usize % 64);
        number[at] |= low << bit;
        if let Some(above) = number.get_mut(at + 1) {
            *above |= low >> 1 >> (63 - bit);
        }
        carry >>= WIDTH;
    }
    Residue(number)
}

/// f = (k·p + 1) / 2²⁹.
fn folding(prime: &[u64; PLACES], inverse: u64) -> [u64; PLACES] {
    let mut folding = [0; PLACES];
    let mut carry = 1;
    for (place, limb) in prime.iter().enumerate() {
        carry += inverse * limb;
        if place > 0 {
            folding[place - 1] = carry & MASK;
        }
        carry >>= WIDTH;
    }
    folding[PLACES - 1] = carry;
    folding
}

#[cfg(test)]
mod tests;
