//! The other sides are crypto-bigint's division for one multiplication, and the kernel for all processors for powers.

use crypto_bigint::{NonZero, Odd, U384};
use proptest::prelude::*;

use super::super::{BITS, Fields, limbs, number};
use super::*;

/// The highest that a limb may be but for the highest place's.
const FULLEST: u64 = MASK + 64;

struct Moduli {
    fields: [Field; 3],
    numbers: [NonZero<U384>; 3],
    together: Together,
}

impl Moduli {
    /// `None` where the processor hasn't the instructions: then there is nothing to test.
    fn new(moduli: [U384; 3]) -> Option<Self> {
        let fields = moduli.map(|modulus| Field::new(&Odd::new(modulus).unwrap()));
        let together = Together::new(fields.each_ref())?;
        Some(Self { fields, numbers: moduli.map(|modulus| NonZero::new(modulus).unwrap()), together })
    }

    /// Checks a multiplication and a square of numbers below 3p.
    fn check(&self, a: &[[u64; PLACES]; 3], b: &[[u64; PLACES]; 3]) {
        // SAFETY: `new` has asked the processor.
        let (product, square) = unsafe {
            let (a, b) = (gathered(a), gathered(b));
            (self.together.product(&a, &b), self.together.square(&a))
        };
        for lane in 0..3 {
            self.assert_is(lane, &product, &self.times(lane, &a[lane], &b[lane]));
            self.assert_is(lane, &square, &self.times(lane, &a[lane], &a[lane]));
        }
        assert!(product.iter().chain(&square).all(|limb| lane(*limb)[3] == 0));
    }

    fn times(&self, lane: usize, a: &[u64; PLACES], b: &[u64; PLACES]) -> U384 {
        let modulus = &self.numbers[lane];
        whole(a).rem(modulus).mul_mod(&whole(b).rem(modulus), modulus)
    }

    /// Asserts that `numbers` has in `at` a number below 3p, in limbs as they may be, whose product with S is `expected`.
    fn assert_is(&self, at: usize, numbers: &Numbers, expected: &U384) {
        let limbs = numbers.map(|limb| lane(limb)[at]);
        assert!(limbs.iter().all(|limb| *limb <= FULLEST), "{limbs:x?}");
        let modulus = &self.numbers[at];
        assert!(whole(&limbs) < modulus.wrapping_mul(&U384::from(3u8)));
        let s = number(&S.0).rem(modulus);
        assert_eq!(whole(&limbs).rem(modulus).mul_mod(&s, modulus), *expected, "modulo {modulus}");
    }
}

/// The lanes of a vector.
fn lane(vector: __m256i) -> [u64; 4] {
    // SAFETY: any bits are numbers, and both have 32 bytes.
    unsafe { std::mem::transmute(vector) }
}

fn whole(limbs: &[u64; PLACES]) -> U384 {
    number(&joined(limbs).0)
}

/// What is most likely to go wrong modulo `modulus`, in limbs of 29 bits and a little more.
fn edges(modulus: &U384) -> Vec<[u64; PLACES]> {
    let mut edges = vec![U384::ZERO, U384::ONE, U384::from(MASK), U384::ONE.shl(BITS - 2)];
    for factor in 1..=3u8 {
        let multiple = modulus.wrapping_mul(&U384::from(factor));
        edges.push(multiple.wrapping_sub(&U384::ONE));
        if factor < 3 {
            edges.extend([multiple, multiple.wrapping_add(&U384::ONE)]);
        }
    }
    let mut edges: Vec<_> = edges.iter().map(|edge| split(&limbs(edge))).collect();
    let top = split(&limbs(modulus))[PLACES - 1];
    edges.push([MASK; PLACES].map_top(top));
    edges.push([FULLEST; PLACES].map_top(top));
    edges.push([FULLEST; PLACES].map_top(2 * top));
    edges
}

trait MapTop {
    /// The same with another highest limb.
    fn map_top(self, top: u64) -> Self;
}

impl MapTop for [u64; PLACES] {
    fn map_top(mut self, top: u64) -> Self {
        self[PLACES - 1] = top;
        self
    }
}

/// Any odd number of exactly 340 to 342 bits.
fn modulus() -> impl Strategy<Value = U384> {
    (any::<[u64; LIMBS]>(), BITS - 3..BITS)
        .prop_map(|(random, top)| number(&random).shr(U384::BITS - 1 - top) | U384::ONE | U384::ONE.shl(top))
}

fn largest() -> U384 {
    U384::MAX.shr(U384::BITS - BITS)
}

#[test]
fn chosen_wherever_the_processor_has_it() {
    let field = || Field::new(&Odd::new(largest()).unwrap());
    let fields = Fields::new([field(), field(), field()]);
    assert_eq!(fields.together.is_some(), is_x86_feature_detected!("avx2"));
}

#[test]
fn other_processors_have_the_same_powers() {
    let field = || Field::new(&Odd::new(largest()).unwrap());
    let mut fields = Fields::new([field(), field(), field()]);
    let bases = [2u8, 3, 5].map(|base| fields[0].residue(&limbs(&U384::from(base))));
    let exponents = [7u8, 11, 13].map(|exponent| limbs(&U384::from(exponent)));
    let powers = fields.powers(&bases, &exponents);
    fields.together = None;
    let others = fields.powers(&bases, &exponents);
    for (at, field) in fields.iter().enumerate() {
        assert_eq!(field.number(&powers[at]), field.number(&others[at]));
    }
}

#[test]
fn edges_are_multiplied_as_anything() {
    // All ones; least weight; ones below and zeros above, which make f small, and large.
    let moduli = [
        [largest(), U384::ONE.shl(BITS - 1) | U384::ONE, U384::ONE.shl(BITS - 1).wrapping_sub(&U384::ONE)],
        [
            U384::ONE.shl(BITS - 2) | U384::MAX.shr(200),
            U384::ONE.shl(BITS - 2) | U384::from(3u8),
            largest().wrapping_sub(&U384::from(122u8)),
        ],
    ];
    for moduli in moduli {
        let edges = moduli.each_ref().map(edges);
        let Some(moduli) = Moduli::new(moduli) else { return };
        for a in 0..edges[0].len() {
            for b in 0..edges[0].len() {
                moduli.check(&[0, 1, 2].map(|lane| edges[lane][a]), &[0, 1, 2].map(|lane| edges[lane][b]));
            }
        }
    }
}

#[test]
fn sums_as_full_as_they_get_lose_no_carry() {
    if !is_x86_feature_detected!("avx2") {
        return;
    }
    let full = (1 << 63) - 1;
    // SAFETY: the processor has the instructions.
    let limbs = unsafe { carried(&gathered(&[[full; PLACES]; 3])) };
    let limbs = limbs.map(|limb| lane(limb)[0]);
    // Without the highest place, which a sum so full of all others doesn't have.
    assert!(limbs[..PLACES - 1].iter().all(|limb| *limb <= FULLEST), "{limbs:x?}");
}

#[test]
fn limbs_of_both_kinds_stand_for_the_same_number() {
    for bits in 1..=U384::BITS - 36 {
        let number = limbs(&U384::MAX.shr(U384::BITS - bits));
        assert_eq!(joined(&split(&number)).0, number);
    }
}

/// Compares with the kernel for all processors.
fn check_powers(moduli: &Moduli, bases: &[Limbs; 3], exponents: &[Limbs; 3]) {
    let fields = moduli.fields.each_ref();
    let residues = [0, 1, 2].map(|at| fields[at].residue(&bases[at]));
    let powers = moduli.together.powers(fields, &residues, exponents);
    for at in 0..3 {
        let expected = fields[at].power(&residues[at], &exponents[at]);
        assert_eq!(fields[at].number(&powers[at]), fields[at].number(&expected));
        assert!(number(&powers[at].0) < moduli.numbers[at].wrapping_mul(&U384::from(2u8)));
    }
}

#[test]
fn powers_of_edges_are_those_of_the_other_kernel() {
    let modulus = largest().wrapping_sub(&U384::from(122u8));
    let Some(moduli) = Moduli::new([modulus, largest(), U384::ONE.shl(BITS - 1) | U384::ONE]) else { return };
    let exponents = [U384::ZERO, U384::ONE, U384::from(16u8), largest()].map(|it| limbs(&it));
    let bases = [U384::ZERO, U384::ONE, modulus.wrapping_sub(&U384::ONE), modulus, U384::MAX];
    for base in bases.map(|base| limbs(&base)) {
        for at in 0..exponents.len() {
            // Another exponent in each lane.
            check_powers(
                &moduli,
                &[base; 3],
                &[0, 1, 2].map(|lane| exponents[(at + lane) % exponents.len()]),
            );
        }
    }
}

proptest! {
    #[test]
    fn numbers_are_multiplied(moduli in [modulus(), modulus(), modulus()], a: [[u64; LIMBS]; 3], b: [[u64; LIMBS]; 3]) {
        let Some(moduli) = Moduli::new(moduli) else { return Ok(()) };
        let below = |numbers: [[u64; LIMBS]; 3]| [0, 1, 2].map(|lane| {
            let bound = NonZero::new(moduli.numbers[lane].wrapping_mul(&U384::from(3u8))).unwrap();
            split(&limbs(&number(&numbers[lane]).rem(&bound)))
        });
        moduli.check(&below(a), &below(b));
    }

    #[test]
    fn powers_are_those_of_the_other_kernel(
        moduli in [modulus(), modulus(), modulus()],
        bases: [[u64; LIMBS]; 3],
        exponents: [[u64; LIMBS]; 3],
    ) {
        let Some(moduli) = Moduli::new(moduli) else { return Ok(()) };
        check_powers(&moduli, &bases, &exponents.map(|it| limbs(&number(&it).shr(U384::BITS - BITS))));
    }

    #[test]
    fn the_table_gives_each_lane_its_entry(table: [[u32; 2]; 16], indices in [0..16u64, 0..16u64, 0..16u64]) {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the instructions.
            let picked = unsafe {
                let entry = |[low, high]: [u32; 2]| {
                    let packed = u64::from(high) << 32 | u64::from(low);
                    [lanes(&[packed, packed ^ 1, packed ^ 2]); PLACES / 2]
                };
                picked(&table.map(entry), lanes(&indices))
            };
            for (at, index) in indices.into_iter().enumerate() {
                let [low, high] = table[index as usize];
                prop_assert_eq!(lane(picked[0])[at] as u32, low ^ at as u32);
                prop_assert_eq!(lane(picked[PLACES / 2])[at], u64::from(high));
            }
        }
    }
}
