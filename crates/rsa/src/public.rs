//! Public keys as they travel, an X.509 `SubjectPublicKeyInfo` in DER (RFC 5280; RSA's part: RFC 8017, A.1.1), and what
//! a client does with one.
//!
//! What must stay true: whatever a server sends as its key, computing with it takes bounded time and memory.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use der::asn1::{AnyRef, BitStringRef, Null, ObjectIdentifier, UintRef};
use der::{Decode, Encode};
use pkcs1::RsaPublicKeyRef;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use crate::RsaError;
use crate::padding::{self, OVERHEAD};

/// `rsaEncryption`.
const ALGORITHM: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Bits of a modulus. OpenSSL computes with no shorter and, with larger exponents, no longer one.
const MODULUS_BITS: std::ops::RangeInclusive<u32> = 512..=16384;

/// A server's public key, of any size that libraries take.
pub(crate) struct PublicKey {
    modulus: Odd<BoxedUint>,
    exponent: u64,
}

impl PublicKey {
    /// The key that `der` is, to its last byte.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, RsaError> {
        let key = parsed(der).map_err(|_| RsaError::PublicKey)?;
        let modulus = key.modulus.as_bytes();
        let modulus = BoxedUint::from_be_slice_vartime(modulus);
        let exponent = key.public_exponent.as_bytes();
        let mut padded = [0; 8];
        let start = padded.len().checked_sub(exponent.len()).ok_or(RsaError::PublicKey)?;
        padded[start..].copy_from_slice(exponent);
        let exponent = u64::from_be_bytes(padded);
        // An even exponent has no inverse, and 1 leaves the message as it is.
        if !MODULUS_BITS.contains(&modulus.bits_vartime()) || exponent < 3 || exponent % 2 == 0 {
            return Err(RsaError::PublicKey);
        }
        let modulus = Odd::new(modulus).into_option().ok_or(RsaError::PublicKey)?;
        Ok(Self { modulus, exponent })
    }

    /// Pads and encrypts.
    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, RsaError> {
        let failed = || RsaError::Encrypt(plaintext.len());
        let size = self.modulus.bits_vartime().div_ceil(8) as usize;
        if plaintext.len() > size.saturating_sub(OVERHEAD) {
            return Err(failed());
        }
        let mut encoded = Zeroizing::new(vec![0; size]);
        padding::pad(plaintext, &mut encoded).map_err(|_| failed())?;
        Ok(self.raised(&encoded))
    }

    /// The bare public operation, on a number as long as the modulus.
    pub(crate) fn raised(&self, number: &[u8]) -> Vec<u8> {
        let size = number.len();
        let number = BoxedUint::from_be_slice_vartime(number);
        let params = BoxedMontyParams::new_vartime(self.modulus.clone());
        let bits = u64::BITS - self.exponent.leading_zeros();
        let power =
            BoxedMontyForm::new(number, &params).pow_bounded_exp(&BoxedUint::from(self.exponent), bits);
        let power = power.retrieve().to_be_bytes();
        // It comes in whole limbs; what exceeds the modulus's bytes is zeros.
        power[power.len() - size..].to_vec()
    }
}

/// The key that stands in `der`, each layer without a byte left over.
fn parsed(der: &[u8]) -> spki::Result<RsaPublicKeyRef<'_>> {
    let info = SubjectPublicKeyInfoRef::from_der(der)?;
    info.algorithm.assert_algorithm_oid(ALGORITHM)?;
    info.algorithm.parameters_any()?.decode_as::<Null>()?;
    let key = info.subject_public_key.as_bytes().ok_or(spki::Error::KeyMalformed)?;
    Ok(RsaPublicKeyRef::from_der(key)?)
}

/// A public key as the Encryption Request carries it.
pub(crate) fn to_der(modulus: &[u8], exponent: u32) -> Option<Vec<u8>> {
    let exponent = exponent.to_be_bytes();
    let key = RsaPublicKeyRef {
        modulus: UintRef::new(modulus).ok()?,
        public_exponent: UintRef::new(&exponent).ok()?,
    };
    wrapped(&key.to_der().ok()?)
}

/// A key of PKCS#1 in its envelope.
fn wrapped(key: &[u8]) -> Option<Vec<u8>> {
    let algorithm = AlgorithmIdentifierRef { oid: ALGORITHM, parameters: Some(AnyRef::from(Null)) };
    let info = SubjectPublicKeyInfoRef { algorithm, subject_public_key: BitStringRef::from_bytes(key).ok()? };
    info.to_der().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_nobody_computes_with_are_refused() {
        let usable = |bits: usize, exponent| {
            let mut modulus = vec![0xff; bits / 8];
            modulus.splice(..0, (!bits.is_multiple_of(8)).then_some(1));
            encrypts(&modulus, exponent)
        };
        assert_eq!(usable(512, 3), Ok(()));
        assert_eq!(usable(1024, 65537), Ok(()));
        assert_eq!(usable(1025, 65537), Ok(()));
        assert_eq!(usable(16384, 65537), Ok(()));
        for (bits, exponent) in
            [(8, 3), (511, 3), (504, 3), (16385, 3), (80_000, 3), (1024, 0), (1024, 1), (1024, 4)]
        {
            assert_eq!(usable(bits, exponent), Err(RsaError::PublicKey), "{bits} bits, exponent {exponent}");
        }
        let mut even = [0xff; 128];
        even[127] = 0xfe;
        assert_eq!(encrypts(&even, 3), Err(RsaError::PublicKey));
    }

    fn encrypts(modulus: &[u8], exponent: u32) -> Result<(), RsaError> {
        crate::encrypt(&to_der(modulus, exponent).unwrap(), b"message").map(drop)
    }

    #[test]
    fn exponents_are_bounded() {
        let key = |exponent: &[u8]| {
            let key = RsaPublicKeyRef {
                modulus: UintRef::new(&[0xff; 128]).unwrap(),
                public_exponent: UintRef::new(exponent).unwrap(),
            };
            PublicKey::from_der(&wrapped(&key.to_der().unwrap()).unwrap()).map(drop)
        };
        assert_eq!(key(&[0xff; 8]), Ok(()));
        assert_eq!(key(&[0xff; 9]), Err(RsaError::PublicKey));
        assert_eq!(key(&[0xff; 128]), Err(RsaError::PublicKey));
    }

    #[test]
    fn other_algorithms_are_refused() {
        let key = RsaPublicKeyRef {
            modulus: UintRef::new(&[0xff; 128]).unwrap(),
            public_exponent: UintRef::new(&[3]).unwrap(),
        };
        let right = wrapped(&key.to_der().unwrap()).unwrap();
        assert!(PublicKey::from_der(&right).is_ok());
        // The last byte of the algorithm's name: RSASSA-PSS would be 10.
        let mut other = right.clone();
        let at = right.windows(3).position(|bytes| bytes == [1, 1, 1]).unwrap() + 2;
        other[at] = 10;
        assert!(PublicKey::from_der(&other).is_err());
    }
}
