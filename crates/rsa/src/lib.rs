//! The key exchange of the Minecraft login: a server's RSA key of 1024 bits, to which a client encrypts a shared
//! secret and the server's verify token with the padding of PKCS#1 v1.5 (Minecraft wiki, "Java Edition
//! protocol/Encryption").
//!
//! # The arithmetic
//!
//! The key has three primes of 341 and 342 bits (multi-prime RSA, RFC 8017), because an exponentiation's time grows
//! faster than the square of its length: three short ones take two thirds of the time of two long ones. Nobody outside
//! can tell, since a client sees the modulus and the exponent 65537 alone. It costs no security: the number field
//! sieve, the best attack on 1,024 bits, doesn't care how many factors there are, and the elliptic curve method,
//! which does, has found no factor above 83 digits, 274 bits (Propper 2013), where one of 341 bits has 103. A fourth
//! prime would be within its reach. OpenSSL draws the same line: three for moduli of 1,024 to 4,095 bits
//! (`ossl_rsa_multip_cap`).
//!
//! * It is in constant time by construction: multiplication and exponentiation modulo a prime in `montgomery`, the
//!   rest by crypto-bigint. All is safe Rust but for one module, `montgomery::avx2`, which computes with the three
//!   primes at once where the processor can, in half the time.
//! * It is blinded as well: what is raised to the private exponent is multiplied by a random number before and by
//!   what undoes it behind, each operation by another. Were a processor's time to depend on operands after all,
//!   nobody could choose them. This takes one or two microseconds of some thirty.
//! * Results aren't checked by encrypting them again. A fault of the machine in one of the primes' parts gives the
//!   key away to who sees the whole wrong number (Boneh, DeMillo, Lipton 1997), as one does of a signature. Here
//!   nobody does: a number that came out wrong has no sound padding, and what stands in for its message is made without
//!   it. The verify token is then wrong too.
//!
//! # What an attacker could learn
//!
//! The protocol fixes size and padding. Who records a login, and can ask the server whether the padding of
//! ciphertexts of its own making is right, can work towards that login's shared secret (Bleichenbacher 1998), and
//! so read the recorded connection; the attack needs the same key, which lives as long as the process. So:
//!
//! * [`KeyPair::decrypt_exact`] takes the same time for every padding, right or wrong, and has bytes for each
//!   ciphertext all the same: where padding or length is wrong, they are made of the ciphertext and a secret of the
//!   key pair (implicit rejection). Sending it again gives them again, so that they look like a message in this as
//!   well.
//! * A caller that goes on with such bytes tells nothing. One that refuses by [`Decrypted::sound`] tells one bit,
//!   though only for messages of exactly the wanted length: about one random ciphertext in 2²⁵ is one, and the
//!   published attacks take millions of questions to so strict an oracle (Bardou et al. 2012), each of them a login,
//!   under the limits of logins.
//! * The verify token can't be such an oracle: whoever gets it wrong in whatever way is refused.
//! * Lengths, and a number that is not below the modulus, are refused before anything secret is computed.
//!
//! What must stay true: no ciphertext brings anything but an answer or an error, and no two kinds of wrong padding or
//! length can be told apart by what this crate returns or by how long it takes.

#![deny(unsafe_code)]

mod key;
mod montgomery;
mod padding;
mod public;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of the modulus, and so of every ciphertext.
pub const MODULUS: usize = 128;

/// Why something could not be encrypted or decrypted, or a key not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RsaError {
    /// No key could be made, for want of randomness.
    #[error("no RSA key could be made")]
    Generate,
    /// The bytes are no RSA public key in X.509's form, more than one, or one that nobody computes with.
    #[error("not an RSA public key of 512 to 16,384 bits in X.509 form")]
    PublicKey,
    /// The plaintext is too long for the key, or there was no randomness to pad it with.
    #[error("{0} bytes can't be encrypted with this RSA key")]
    Encrypt(usize),
    /// Not a ciphertext for this key: wrong length, out of range, or wrong padding; which of them isn't said.
    #[error("not encrypted with this RSA key")]
    Decrypt,
}

/// A server's key pair, for as long as the process lives. It may be used from many threads at once.
pub struct KeyPair {
    key: key::PrivateKey,
    public_der: Vec<u8>,
    /// Keys the bytes that stand in for a message that is none.
    substitute_key: Zeroizing<[u8; 32]>,
}

impl KeyPair {
    /// Makes a key pair of 1024 bits with the public exponent 65537, like vanilla's. Takes a few milliseconds of
    /// computing.
    ///
    /// # Errors
    /// [`RsaError::Generate`].
    pub fn generate() -> Result<Self, RsaError> {
        let key = key::PrivateKey::generate()?;
        let public_der = public::to_der(&key.modulus(), key::EXPONENT).ok_or(RsaError::Generate)?;
        let mut substitute_key = Zeroizing::new([0; 32]);
        random(&mut *substitute_key)?;
        Ok(Self { key, public_der, substitute_key })
    }

    /// The public key as the Encryption Request carries it: an X.509 `SubjectPublicKeyInfo` in DER (RFC 5280).
    #[must_use]
    pub fn public_der(&self) -> &[u8] {
        &self.public_der
    }

    /// Decrypts a message of exactly `N` bytes, 1 to 32 of them: a shared secret or a verify token.
    ///
    /// ```
    /// let pair = drawbridge_rsa::KeyPair::generate()?;
    /// let ciphertext = drawbridge_rsa::encrypt(pair.public_der(), &[7; 16])?;
    /// let secret = pair.decrypt_exact::<16>(&ciphertext);
    /// assert!(secret.sound);
    /// assert_eq!(secret.bytes, [7; 16]);
    ///
    /// let longer = drawbridge_rsa::encrypt(pair.public_der(), &[7; 17])?;
    /// let none = pair.decrypt_exact::<16>(&longer);
    /// assert!(!none.sound);
    /// assert_ne!(none.bytes, [7; 16]);
    /// # Ok::<(), drawbridge_rsa::RsaError>(())
    /// ```
    ///
    /// A login's two ciphertexts are both decrypted before either is judged. The head of the crate says what it
    /// costs to act on [`Decrypted::sound`].
    #[must_use]
    pub fn decrypt_exact<const N: usize>(&self, ciphertext: &[u8]) -> Decrypted<N> {
        const { assert!(1 <= N && N <= 32, "the substitute has 32 bytes") };
        let substitute = self.substitute(ciphertext);
        // Fails for what anybody can see of a ciphertext. Zeros are no sound encoding.
        let encoded = self.key.decrypt_raw(ciphertext).unwrap_or_else(|| Zeroizing::new([0; MODULUS]));
        let (bytes, sound) = padding::open_exact(&encoded, &substitute);
        Decrypted { bytes, sound: bool::from(sound) }
    }

    /// Decrypts a message of any length, writes it to the front of `out` and returns its length.
    ///
    /// A caller that lets the sender see whether this failed is an oracle as described at the head of the crate,
    /// and a wider one than with [`Self::decrypt_exact`], since every length is right. For a login that is the one
    /// to use.
    ///
    /// # Errors
    /// [`RsaError::Decrypt`], whatever was wrong.
    pub fn decrypt(&self, ciphertext: &[u8], out: &mut [u8; MODULUS]) -> Result<usize, RsaError> {
        let encoded = self.key.decrypt_raw(ciphertext).ok_or(RsaError::Decrypt)?;
        let start = padding::message_start(&encoded).ok_or(RsaError::Decrypt)?;
        let message = encoded.get(start..).ok_or(RsaError::Decrypt)?;
        out[..message.len()].copy_from_slice(message);
        Ok(message.len())
    }

    /// What stands in for the message of `ciphertext` if it has none.
    fn substitute(&self, ciphertext: &[u8]) -> Zeroizing<[u8; 32]> {
        // A key of a hash's block length is the one form that can't fail; HMAC fills shorter ones up with zeros
        // anyway.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(&*self.substitute_key);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(ciphertext);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeyPair").finish_non_exhaustive()
    }
}

/// What [`KeyPair::decrypt_exact`] made of a ciphertext. Wiped when dropped.
pub struct Decrypted<const N: usize> {
    /// The message; where there is none, bytes that nobody outside can foretell, the same for the same ciphertext.
    pub bytes: [u8; N],
    /// Whether `bytes` is the message.
    pub sound: bool,
}

impl<const N: usize> Drop for Decrypted<N> {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl<const N: usize> std::fmt::Debug for Decrypted<N> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Decrypted").finish_non_exhaustive()
    }
}

/// Encrypts as a client does, to the public key that a server sent; keys of other sizes are taken as well.
///
/// # Errors
/// [`RsaError::PublicKey`] if `public_der` isn't exactly one RSA key, or one that isn't sensible: its modulus has fewer
/// than 512 or more than 16,384 bits or is even, its exponent is below 3, even, or above 64 bits.
/// [`RsaError::Encrypt`] if `plaintext` is more than the key's bytes less eleven.
pub fn encrypt(public_der: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, RsaError> {
    public::PublicKey::from_der(public_der)?.encrypt(plaintext)
}

/// Fills `bytes` from the operating system's generator.
fn random(bytes: &mut [u8]) -> Result<(), RsaError> {
    getrandom::fill(bytes).map_err(|_| RsaError::Generate)
}

#[cfg(test)]
mod tests;
