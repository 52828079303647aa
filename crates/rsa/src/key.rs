//! The private key: three primes, and the private operation by the Chinese remainder theorem (RFC 8017, 5.1.2).
//!
//! What must stay true: all that is computed with the primes is computed by `montgomery` or by those operations of
//! crypto-bigint that its documentation calls constant-time; what stays in memory is wiped with the key.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use crypto_bigint::{NonZero, Odd, U384, U1024};
use crypto_primes::hazmat::SmallFactorsSieve;
use crypto_primes::{Flavor, is_prime};
use zeroize::{Zeroize, Zeroizing};

use crate::montgomery::{BITS, Field, Fields, Limbs, Residue, limbs, number};
use crate::{MODULUS, RsaError};

/// The public exponent.
pub(crate) const EXPONENT: u32 = 65537;
/// Bits of the primes: together those of the modulus.
const SIZES: [u32; 3] = [BITS, 341, 341];

/// Wiped when dropped.
pub(crate) struct PrivateKey {
    modulus: U1024,
    primes: Fields,
    /// The private exponent modulo p - 1, of each prime.
    exponents: [Limbs; 3],
    /// The first prime, and the product of the first two.
    products: [U1024; 2],
    /// The first prime modulo the third.
    first_in_third: Residue,
    /// 1/(first prime) modulo the second; 1/(product of the first two) modulo the third.
    coefficients: [Residue; 2],
    blinding: Mutex<[Blinding; 3]>,
}

/// r to the public exponent and 1/r, modulo one prime, for some r that nobody knows.
#[derive(Clone, Copy)]
struct Blinding {
    factor: Residue,
    undoing: Residue,
}

impl PrivateKey {
    /// Fails only where the system has no randomness.
    pub(crate) fn generate() -> Result<Self, RsaError> {
        loop {
            let primes = Zeroizing::new([prime(SIZES[0])?, prime(SIZES[1])?, prime(SIZES[2])?]);
            let seeds = Zeroizing::new([random()?, random()?, random()?]);
            // All three are drawn again where they make no key: to draw one alone would make some keys likelier than
            // others.
            if let Some(key) = Self::from_primes(&primes, &seeds) {
                return Ok(key);
            }
        }
    }

    /// `None` if the primes make no key: they don't have the right sizes, two are the same, their product hasn't exactly
    /// 1,024 bits, or the public exponent has no inverse. The blinding begins with `seeds`.
    pub(crate) fn from_primes(primes: &[U384; 3], seeds: &[U384; 3]) -> Option<Self> {
        let [first, second, third] = primes;
        let distinct = first != second && second != third && first != third;
        let sized = primes.iter().zip(SIZES).all(|(prime, size)| prime.bits() == size);
        let pair = Zeroizing::new(first.resize::<{ U1024::LIMBS }>().wrapping_mul(second));
        let modulus = pair.wrapping_mul(third);
        if !(distinct && sized && modulus.bits() == U1024::BITS) {
            return None;
        }
        let exponents = Zeroizing::new([exponent(first)?, exponent(second)?, exponent(third)?]);
        let primes = Fields::new([field(first)?, field(second)?, field(third)?]);
        let [_, in_second, in_third] = &*primes;
        let first_in_third = in_third.residue(&limbs(first));
        let pair_in_third = in_third.multiply(&first_in_third, &in_third.residue(&limbs(second)));
        Some(Self {
            modulus,
            products: [first.resize(), *pair],
            first_in_third,
            coefficients: [
                in_second.inverse(&in_second.residue(&limbs(first))),
                in_third.inverse(&pair_in_third),
            ],
            blinding: Mutex::new(std::array::from_fn(|at| Blinding::new(&primes[at], &seeds[at]))),
            primes,
            exponents: *exponents,
        })
    }

    /// The modulus.
    pub(crate) fn modulus(&self) -> [u8; MODULUS] {
        bytes(&self.modulus)
    }

    /// The bare private operation. `None` only for what anybody can see: a ciphertext of another length, or, as a
    /// number, not between 1 and the modulus less one.
    pub(crate) fn decrypt_raw(&self, ciphertext: &[u8]) -> Option<Zeroizing<[u8; MODULUS]>> {
        let ciphertext = <&[u8; MODULUS]>::try_from(ciphertext).ok()?;
        let number = U1024::from_be_slice(ciphertext);
        // The ciphertext and the modulus are public.
        if number <= U1024::ONE || number >= self.modulus.wrapping_sub(&U1024::ONE) {
            return None;
        }
        let parts = split(ciphertext);
        let blinding = Zeroizing::new(self.next_blinding());
        let blinded = Zeroizing::new(std::array::from_fn(|at| {
            let field = &self.primes[at];
            field.multiply(&field.sum_of_parts(&parts), &blinding[at].factor)
        }));
        let powers = Zeroizing::new(self.primes.powers(&blinded, &self.exponents));
        let residues = Zeroizing::new(std::array::from_fn(|at| {
            self.primes[at].multiply(&powers[at], &blinding[at].undoing)
        }));
        Some(Zeroizing::new(bytes(&self.joined(&residues))))
    }

    /// The number below the modulus that leaves these residues, by Garner's algorithm.
    fn joined(&self, residues: &[Residue; 3]) -> Zeroizing<U1024> {
        let [first, second, third] = &*self.primes;
        let digit_0 = Zeroizing::new(first.number(&residues[0]));

        let rest = second.difference(&residues[1], &second.residue(&digit_0));
        let digit_1 = Zeroizing::new(second.number(&second.multiply(&rest, &self.coefficients[0])));

        let rest = third.difference(&residues[2], &third.residue(&digit_0));
        let known = third.multiply(&third.residue(&digit_1), &self.first_in_third);
        let rest = third.difference(&rest, &known);
        let digit_2 = Zeroizing::new(third.number(&third.multiply(&rest, &self.coefficients[1])));

        let digits = Zeroizing::new([&*digit_0, &digit_1, &digit_2].map(wide));
        let terms = Zeroizing::new([
            self.products[0].wrapping_mul(&digits[1]),
            self.products[1].wrapping_mul(&digits[2]),
        ]);
        // Less than the modulus by construction, so nothing wraps.
        Zeroizing::new(digits[0].wrapping_add(&terms[0]).wrapping_add(&terms[1]))
    }

    /// The blinding for one operation. Squaring makes the next one of it.
    fn next_blinding(&self) -> [Blinding; 3] {
        // Behind a panic in here each pair would still be one: both parts of it are replaced at once.
        let mut blinding = self.blinding.lock().unwrap_or_else(PoisonError::into_inner);
        let current = *blinding;
        for (pair, prime) in blinding.iter_mut().zip(&*self.primes) {
            *pair = Blinding { factor: prime.square(&pair.factor), undoing: prime.square(&pair.undoing) };
        }
        current
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.exponents.zeroize();
        self.products.zeroize();
        self.first_in_third.zeroize();
        self.coefficients.zeroize();
        self.blinding.get_mut().unwrap_or_else(PoisonError::into_inner).zeroize();
    }
}

impl Blinding {
    fn new(field: &Field, seed: &U384) -> Self {
        let base = Zeroizing::new(field.residue(&limbs(seed)));
        Self { factor: field.power_of_public(&base, EXPONENT), undoing: field.inverse(&base) }
    }
}

impl Zeroize for Blinding {
    fn zeroize(&mut self) {
        self.factor.zeroize();
        self.undoing.zeroize();
    }
}

/// `None` of an even number.
fn field(prime: &U384) -> Option<Field> {
    Some(Field::new(&Odd::new(*prime).into_option()?))
}

/// The private exponent modulo p - 1; `None` if the public one has no inverse.
fn exponent(prime: &U384) -> Option<Limbs> {
    let less_one = Zeroizing::new(NonZero::new(prime.wrapping_sub(&U384::ONE)).into_option()?);
    let exponent = Zeroizing::new(U384::from(EXPONENT).invert_mod(&less_one).into_option()?);
    Some(limbs(&exponent))
}

/// A random prime of `bits` bits whose first two are set: the first above a random number, as is common.
fn prime(bits: u32) -> Result<U384, RsaError> {
    let size = NonZeroU32::new(bits).ok_or(RsaError::Generate)?;
    let top = U384::from(0b11u8).shl(bits - 2);
    loop {
        let start = random()?.shr(U384::BITS - bits) | top;
        let mut sieve = SmallFactorsSieve::new(start, size, false).map_err(|_| RsaError::Generate)?;
        // The search ends without one only where `start` is among the last few numbers of the size.
        if let Some(prime) = sieve.find(|candidate| is_prime(Flavor::Any, candidate)) {
            return Ok(prime);
        }
    }
}

/// A random number, from the operating system.
fn random() -> Result<U384, RsaError> {
    let mut bytes = Zeroizing::new([0; U384::BYTES]);
    crate::random(&mut *bytes)?;
    Ok(U384::from_le_slice(&*bytes))
}

/// A ciphertext in parts as [`Field::sum_of_parts`] takes it.
fn split(ciphertext: &[u8; MODULUS]) -> [Limbs; 3] {
    let (rest, low) = ciphertext.split_at(MODULUS - U384::BYTES);
    let (high, middle) = rest.split_at(rest.len() - U384::BYTES);
    let mut padded = [0; U384::BYTES];
    padded[U384::BYTES - high.len()..].copy_from_slice(high);
    [low, middle, &padded].map(|bytes| limbs(&U384::from_be_slice(bytes)))
}

fn wide(digit: &Limbs) -> U1024 {
    number(digit).resize()
}

fn bytes(number: &U1024) -> [u8; MODULUS] {
    number.to_be_bytes().into()
}

#[cfg(test)]
mod tests;
