//! The other side of each test is the `rsa` crate, which shares no code with this one.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey};
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Encrypt, RsaPrivateKey, RsaPublicKey};

use super::*;

/// What every 1,024-bit key with the exponent 65537 begins with: the algorithm `rsaEncryption` and the lengths
/// around (RFC 8017, A.1).
const DER_HEAD: [u8; 29] = [
    0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
    0x00, 0x03, 0x81, 0x8d, 0x00, 0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00,
];
const DER_TAIL: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

fn pair() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn public(pair: &KeyPair) -> RsaPublicKey {
    RsaPublicKey::from_public_key_der(pair.public_der()).unwrap()
}

fn encrypted(pair: &KeyPair, message: &[u8]) -> Vec<u8> {
    public(pair).encrypt(&mut OsRng, Pkcs1v15Encrypt, message).unwrap()
}

/// The ciphertext of bytes that were padded by hand.
fn raw(pair: &KeyPair, encoded: &[u8]) -> Vec<u8> {
    let key = public(pair);
    let bytes = BigUint::from_bytes_be(encoded).modpow(key.e(), key.n()).to_bytes_be();
    [vec![0; MODULUS - bytes.len()], bytes].concat()
}

#[test]
fn the_public_key_is_what_minecraft_sends() {
    let pair = pair();
    let der = pair.public_der();
    assert_eq!(der.len(), DER_HEAD.len() + MODULUS + DER_TAIL.len());
    assert!(der.starts_with(&DER_HEAD));
    assert!(der.ends_with(&DER_TAIL));
    assert_eq!(public(&pair).size(), MODULUS);
    assert_eq!(public(&pair).to_public_key_der().unwrap().as_bytes(), der);
}

#[test]
fn every_pair_is_another() {
    assert_ne!(pair().public_der(), pair().public_der());
}

#[test]
fn many_keys_take_every_login() {
    for round in 0..60u8 {
        let pair = pair();
        let key = public(&pair);
        assert_eq!(key.n().bits(), 8 * MODULUS);
        assert_eq!(*key.e(), BigUint::from(65537u32));
        for message in [[round; 16], [!round; 16]] {
            let secret = pair.decrypt_exact::<16>(&encrypted(&pair, &message));
            assert!(secret.sound);
            assert_eq!(secret.bytes, message);
        }
    }
}

#[test]
fn what_the_other_side_encrypts_is_decrypted() {
    let pair = pair();
    let mut out = [0; MODULUS];
    for length in [0, 1, 4, 16, 17, 116, 117] {
        let message: Vec<u8> = (0..length).collect();
        assert_eq!(pair.decrypt(&encrypted(&pair, &message), &mut out), Ok(message.len()));
        assert_eq!(out[..message.len()], message);
    }
    let secret = pair.decrypt_exact::<16>(&encrypted(&pair, &[3; 16]));
    assert!(secret.sound);
    assert_eq!(secret.bytes, [3; 16]);
}

#[test]
fn what_is_encrypted_the_other_side_decrypts() {
    for bits in [1024, 2048] {
        let private = RsaPrivateKey::new(&mut OsRng, bits).unwrap();
        let der = private.to_public_key().to_public_key_der().unwrap();
        let longest = vec![5; bits / 8 - 11];
        for message in [&b""[..], b"\0", &[9; 16], &longest] {
            let ciphertext = encrypt(der.as_bytes(), message).unwrap();
            assert_eq!(private.decrypt(Pkcs1v15Encrypt, &ciphertext).unwrap(), message);
        }
        let longer = vec![5; bits / 8 - 10];
        assert_eq!(encrypt(der.as_bytes(), &longer), Err(RsaError::Encrypt(longer.len())));
    }
}

#[test]
fn a_ciphertext_of_another_length_is_refused() {
    let pair = pair();
    let right = encrypted(&pair, &[3; 16]);
    for length in [0, 1, 127, 129, 256, 100_000] {
        let mut wrong = right.clone();
        wrong.resize(length, 0);
        assert_eq!(pair.decrypt(&wrong, &mut [0; MODULUS]), Err(RsaError::Decrypt), "{length} bytes");
        assert!(!pair.decrypt_exact::<16>(&wrong).sound, "{length} bytes");
    }
}

#[test]
fn a_ciphertext_out_of_range_is_refused() {
    let pair = pair();
    let modulus = public(&pair).n().clone();
    let numbers = [BigUint::from(0u8), BigUint::from(1u8), &modulus - 1u8, modulus.clone(), &modulus + 1u8];
    let most = BigUint::from_bytes_be(&[0xff; MODULUS]);
    for number in numbers.into_iter().chain([most]) {
        let bytes = number.to_bytes_be();
        let wrong = [vec![0; MODULUS - bytes.len()], bytes].concat();
        assert_eq!(pair.decrypt(&wrong, &mut [0; MODULUS]), Err(RsaError::Decrypt), "{number}");
        let none = pair.decrypt_exact::<16>(&wrong);
        assert!(!none.sound);
        assert_ne!(none.bytes, [0; 16]);
    }
}

#[test]
fn a_secret_of_seventeen_bytes_is_no_secret() {
    let pair = pair();
    for length in [0, 15, 17, 32, 117] {
        let none = pair.decrypt_exact::<16>(&encrypted(&pair, &vec![3; length]));
        assert!(!none.sound);
        assert_ne!(none.bytes, [3; 16]);
    }
}

#[test]
fn wrong_padding_gives_one_error_and_bytes_that_stay() {
    let pair = pair();
    let mut sound = vec![0, 2];
    sound.resize(111, 0xaa);
    sound.push(0);
    sound.extend([3; 16]);
    assert!(pair.decrypt_exact::<16>(&raw(&pair, &sound)).sound, "the padding made by hand is right");

    for (index, byte) in [(0, 1), (1, 1), (1, 3), (2, 0), (9, 0), (111, 0xaa)] {
        let mut encoded = sound.clone();
        encoded[index] = byte;
        let wrong = raw(&pair, &encoded);
        if index != 111 {
            assert_eq!(pair.decrypt(&wrong, &mut [0; MODULUS]), Err(RsaError::Decrypt), "byte {index}");
        }
        let (first, second) = (pair.decrypt_exact::<16>(&wrong), pair.decrypt_exact::<16>(&wrong));
        assert!(!first.sound, "byte {index}");
        assert_ne!(first.bytes, [3; 16]);
        assert_eq!(first.bytes, second.bytes, "the same ciphertext gives the same bytes");
    }
}

#[test]
fn what_stands_in_differs_by_ciphertext_and_pair() {
    let (pair, other) = (pair(), self::pair());
    let bytes = |pair: &KeyPair, ciphertext: &[u8]| pair.decrypt_exact::<16>(ciphertext).bytes;
    assert_ne!(bytes(&pair, &[1]), bytes(&pair, &[2]));
    assert_ne!(bytes(&pair, &[1]), bytes(&other, &[1]));
}

#[test]
fn a_ciphertext_for_another_key_is_refused() {
    let (pair, other) = (pair(), self::pair());
    assert!(!pair.decrypt_exact::<16>(&encrypted(&other, &[3; 16])).sound);
}

#[test]
fn many_threads_use_one_pair() {
    let pair = Arc::new(pair());
    let threads: Vec<_> = (0..8u8)
        .map(|thread| {
            let pair = Arc::clone(&pair);
            std::thread::spawn(move || {
                for round in 0..50 {
                    let message = [thread ^ round; 16];
                    let ciphertext = encrypt(pair.public_der(), &message).unwrap();
                    assert_eq!(pair.decrypt_exact::<16>(&ciphertext).bytes, message);
                    assert!(!pair.decrypt_exact::<16>(&[round; MODULUS]).sound);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn what_is_no_public_key_is_refused() {
    let pair = pair();
    let der = pair.public_der();
    for length in 0..der.len() {
        assert_eq!(encrypt(&der[..length], b"x"), Err(RsaError::PublicKey), "cut off behind {length}");
    }
    assert_eq!(encrypt(&[der, &[0]].concat(), b"x"), Err(RsaError::PublicKey));
}

#[test]
fn debugging_shows_no_secrets() {
    let pair = pair();
    assert_eq!(format!("{pair:?}"), "KeyPair { .. }");
    assert_eq!(format!("{:?}", pair.decrypt_exact::<16>(&[])), "Decrypted { .. }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_tampered_ciphertext_is_refused(at in 0..MODULUS, flip in 1..=255u8) {
        static PAIR: LazyLock<KeyPair> = LazyLock::new(pair);
        let mut ciphertext = encrypted(&PAIR, &[3; 16]);
        ciphertext[at] ^= flip;
        let none = PAIR.decrypt_exact::<16>(&ciphertext);
        prop_assert!(!none.sound);
        prop_assert_ne!(none.bytes, [3; 16]);
    }

    #[test]
    fn no_bytes_as_a_key_do_harm(at in 0..162usize, to: u8, message in prop::collection::vec(any::<u8>(), 0..20)) {
        let mut der = [&DER_HEAD[..], &[0xc3; MODULUS], &DER_TAIL].concat();
        der[at] = to;
        drop(encrypt(&der, &message));
    }
}
