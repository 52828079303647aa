//! The other side of each test is crypto-bigint's division, which shares nothing with Montgomery's multiplication.

use crypto_bigint::NonZero;
use proptest::prelude::*;

use super::*;

/// A modulus, with crypto-bigint's means around it.
struct Modulus {
    field: Field,
    number: NonZero<U384>,
    /// R modulo the modulus.
    r: U384,
}

impl Modulus {
    fn new(modulus: U384) -> Self {
        let number = NonZero::new(modulus).unwrap();
        let r = U384::MAX.rem(&number).wrapping_add(&U384::ONE).rem(&number);
        Self { field: Field::new(&Odd::new(modulus).unwrap()), number, r }
    }

    fn times(&self, a: &U384, b: &U384) -> U384 {
        a.rem(&self.number).mul_mod(&b.rem(&self.number), &self.number)
    }

    /// The modulus times `factor`.
    fn multiple(&self, factor: u64) -> U384 {
        self.number.wrapping_mul(&U384::from(factor))
    }

    /// Asserts that `residue` is one, of the number whose product with R is `expected`.
    fn assert_is(&self, residue: &Residue, expected: &U384) {
        let residue = number(&residue.0);
        assert!(residue < self.multiple(2), "{residue} is no residue modulo {}", self.number);
        assert_eq!(residue.rem(&self.number), *expected, "modulo {}", self.number);
    }

    /// Checks all that is done with two numbers, which may be up to 6p, as limbs.
    fn check(&self, a: U384, b: U384) {
        let [left, right] = [a, b].map(|number| Residue(limbs(&number)));
        // x·R = a·b, and so x = a·b/R.
        let product = self.field.multiply(&left, &right);
        assert_eq!(self.times(&number(&product.0), &self.r), self.times(&a, &b));
        assert!(number(&product.0) < self.multiple(2));
        let square = self.field.square(&left);
        assert_eq!(self.times(&number(&square.0), &self.r), self.times(&a, &a));
        assert!(number(&square.0) < self.multiple(2));

        assert_eq!(number(&left.plus(&right).0), a.wrapping_add(&b));
        if b < self.multiple(2) {
            let difference = number(&self.field.difference(&left, &right).0);
            assert_eq!(difference, a.wrapping_add(&self.multiple(2)).wrapping_sub(&b));
        }
        if a < self.multiple(2) {
            let plain = number(&self.field.number(&left));
            assert!(plain < *self.number);
            assert_eq!(self.times(&plain, &self.r), a.rem(&self.number));
        }
    }
}

fn words(words: [u64; LIMBS]) -> U384 {
    number(&words)
}

/// An odd modulus, not of necessity a prime, of one bit more than `least` or more.
fn modulus(least: u32) -> impl Strategy<Value = U384> {
    (any::<[u64; LIMBS]>(), least..BITS)
        .prop_map(|(random, top)| words(random).shr(U384::BITS - 1 - top) | U384::ONE | U384::ONE.shl(top))
}

/// What is most likely to go wrong, and sums that a multiplication has to take.
fn edges(modulus: &Modulus) -> Vec<U384> {
    let mut edges = vec![U384::ZERO, U384::ONE, U384::from(u64::MAX)];
    for factor in 1..=6 {
        let multiple = modulus.multiple(factor);
        edges.push(multiple.wrapping_sub(&U384::ONE));
        if factor < 6 {
            edges.extend([multiple, multiple.wrapping_add(&U384::ONE)]);
        }
    }
    edges
}

#[test]
fn edges_are_computed_as_anything() {
    let largest = U384::MAX.shr(U384::BITS - BITS);
    // All ones, a lowest and a highest limb of least weight, and what lies between.
    let moduli = [
        largest,
        largest.wrapping_sub(&U384::from(122u8)),
        U384::ONE.shl(BITS - 1) | U384::ONE,
        U384::ONE.shl(BITS - 1).wrapping_sub(&U384::ONE),
        U384::ONE.shl(BITS - 2) | U384::MAX.shr(200),
        (U384::MAX.shr(320).shl(128) | U384::ONE.shl(BITS - 2)) | U384::ONE,
    ];
    for modulus in moduli.map(Modulus::new) {
        let edges = edges(&modulus);
        for a in &edges {
            for b in &edges {
                modulus.check(*a, *b);
            }
        }
    }
}

#[test]
fn a_square_of_limbs_full_of_ones_loses_no_carry() {
    let modulus = Modulus::new(U384::MAX.shr(U384::BITS - BITS));
    for bits in 300..=BITS + 2 {
        modulus.check(U384::MAX.shr(U384::BITS - bits), U384::MAX.shr(U384::BITS - bits));
    }
}

#[test]
fn powers_of_edges_are_right() {
    let modulus = Modulus::new(U384::MAX.shr(U384::BITS - BITS).wrapping_sub(&U384::from(122u8)));
    let exponents =
        [U384::ZERO, U384::ONE, U384::from(15u8), U384::from(16u8), U384::MAX.shr(U384::BITS - BITS)];
    for base in edges(&modulus) {
        for exponent in exponents {
            check_power(&modulus, base.rem(&modulus.number), exponent);
        }
    }
}

fn check_power(modulus: &Modulus, base: U384, exponent: U384) {
    let params = FixedMontyParams::new(Odd::new(*modulus.number).unwrap());
    let expected = FixedMontyForm::new(&base, &params).pow(&exponent).retrieve();
    let field = &modulus.field;
    let power = field.power(&field.residue(&limbs(&base)), &limbs(&exponent));
    modulus.assert_is(&power, &modulus.times(&expected, &modulus.r));
    assert_eq!(number(&field.number(&power)), expected);
}

proptest! {
    #[test]
    fn residues_are_multiplied(modulus in modulus(300), a: [u64; LIMBS], b: [u64; LIMBS]) {
        let modulus = Modulus::new(modulus);
        let below = NonZero::new(modulus.multiple(6)).unwrap();
        modulus.check(words(a).rem(&below), words(b).rem(&below));
    }

    #[test]
    fn moduli_may_be_short(modulus in modulus(2), a: [u64; LIMBS], b: [u64; LIMBS]) {
        let modulus = Modulus::new(modulus);
        let below = NonZero::new(modulus.multiple(2)).unwrap();
        modulus.check(words(a).rem(&below), words(b).rem(&below));
    }

    #[test]
    fn any_number_has_a_residue(modulus in modulus(300), a: [u64; LIMBS]) {
        let modulus = Modulus::new(modulus);
        let residue = modulus.field.residue(&a);
        modulus.assert_is(&residue, &modulus.times(&words(a), &modulus.r));
        assert_eq!(number(&modulus.field.number(&residue)), words(a).rem(&modulus.number));
    }

    #[test]
    fn parts_are_put_together(modulus in modulus(300), parts: [[u64; LIMBS]; 3]) {
        let modulus = Modulus::new(modulus);
        let sum = number(&modulus.field.sum_of_parts(&parts).0);
        assert!(sum < modulus.multiple(6));
        let expected = parts.iter().rev().fold(U384::ZERO, |sum, part| {
            modulus.times(&sum, &modulus.r).add_mod(&words(*part).rem(&modulus.number), &modulus.number)
        });
        assert_eq!(sum.rem(&modulus.number), modulus.times(&expected, &modulus.r));
    }

    #[test]
    fn powers_are_right(modulus in modulus(300), base: [u64; LIMBS], exponent: [u64; LIMBS]) {
        let modulus = Modulus::new(modulus);
        let exponent = words(exponent).shr(U384::BITS - BITS);
        check_power(&modulus, words(base).rem(&modulus.number), exponent);
    }

    #[test]
    fn powers_of_public_exponents_are_right(modulus in modulus(300), base: [u64; LIMBS], exponent: u32) {
        let field = Modulus::new(modulus).field;
        let base = field.residue(&base);
        let public = field.power_of_public(&base, exponent);
        let secret = field.power(&base, &limbs(&U384::from(exponent)));
        prop_assert_eq!(field.number(&public), field.number(&secret));
    }

    #[test]
    fn the_table_gives_the_entry_asked_for(table: [[u64; LIMBS]; 16], index in 0..16usize) {
        prop_assert_eq!(picked(&table.map(Residue), index as u64), table[index]);
    }
}
