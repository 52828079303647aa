use proptest::prelude::*;

use super::*;

type Make<T> = fn(&[u8; 16], &[u8; 16]) -> Option<T>;

/// Both implementations; the fast one is left out where the processor has none.
const ENCRYPTORS: [Make<Encryptor>; 2] =
    [|key, register| Some(Encryptor::plain(key, register)), Encryptor::fast];
const DECRYPTORS: [Make<Decryptor>; 2] =
    [|key, register| Some(Decryptor::plain(key, register)), Decryptor::fast];

struct Vector {
    key: [u8; 16],
    register: [u8; 16],
    plaintext: Vec<u8>,
    ciphertext: Vec<u8>,
}

fn vectors() -> [Vector; 2] {
    [
        // NIST SP 800-38A, F.3.7: CFB8-AES128.
        Vector {
            key: 0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes(),
            register: 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes(),
            plaintext: bytes("6bc1bee22e409f96e93d7e117393172aae2d"),
            ciphertext: bytes("3b79424c9c0dd436bace9e0ed4586a4f32b9"),
        },
        // `openssl enc -aes-128-cfb8` of the numbers from 0 to 47, key and register the same as in Minecraft.
        Vector {
            key: 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes(),
            register: 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes(),
            plaintext: (0..48).collect(),
            ciphertext: bytes(OPENSSL),
        },
    ]
}

const OPENSSL: &str =
    "62b1e00b51105f34da28d079cec0b45b406e9c83ab35f62479d77e3ef4d35a7e8da34a0d52262f4a8cb30ae07df05f99";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Applies `each` to `bytes`, cut into pieces of the lengths in `cuts`; the rest is the last piece.
fn in_pieces(bytes: &mut [u8], cuts: &[usize], mut each: impl FnMut(&mut [u8])) {
    let mut rest = bytes;
    for &cut in cuts {
        let (piece, behind) = rest.split_at_mut(cut.min(rest.len()));
        each(piece);
        rest = behind;
    }
    each(rest);
}

#[test]
fn published_vectors_hold_in_both_implementations() {
    for vector in vectors() {
        for mut encryptor in ENCRYPTORS.iter().filter_map(|make| make(&vector.key, &vector.register)) {
            let mut stream = vector.plaintext.clone();
            encryptor.encrypt(&mut stream);
            assert_eq!(stream, vector.ciphertext);
        }
        for mut decryptor in DECRYPTORS.iter().filter_map(|make| make(&vector.key, &vector.register)) {
            let mut stream = vector.ciphertext.clone();
            decryptor.decrypt(&mut stream);
            assert_eq!(stream, vector.plaintext);
        }
    }
}

#[test]
fn key_and_first_register_are_the_secret() {
    let [_, vector] = vectors();
    let mut stream = vector.plaintext.clone();
    Encryptor::new(&vector.key).encrypt(&mut stream);
    assert_eq!(stream, vector.ciphertext);
    Decryptor::new(&vector.key).decrypt(&mut stream);
    assert_eq!(stream, vector.plaintext);
}

#[test]
fn every_cut_into_two_gives_the_same() {
    let [_, vector] = vectors();
    for cut in 0..=vector.plaintext.len() {
        for mut encryptor in ENCRYPTORS.iter().filter_map(|make| make(&vector.key, &vector.register)) {
            let mut stream = vector.plaintext.clone();
            in_pieces(&mut stream, &[cut], |piece| encryptor.encrypt(piece));
            assert_eq!(stream, vector.ciphertext, "cut at {cut}");
        }
        for mut decryptor in DECRYPTORS.iter().filter_map(|make| make(&vector.key, &vector.register)) {
            let mut stream = vector.ciphertext.clone();
            in_pieces(&mut stream, &[cut], |piece| decryptor.decrypt(piece));
            assert_eq!(stream, vector.plaintext, "cut at {cut}");
        }
    }
}

/// The processors that this is built and tested on have the instructions; a fast path that is never taken would
/// pass every other test here.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_fast_path_is_taken_where_the_processor_has_it() {
    let has = is_x86_feature_detected!("aes") && is_x86_feature_detected!("avx");
    assert_eq!(matches!(Encryptor::new(&[0; 16]).0, EncryptorKind::AesNi(_)), has);
    assert_eq!(matches!(Decryptor::new(&[0; 16]).0, DecryptorKind::AesNi(_)), has);
}

#[test]
fn debugging_shows_no_keys() {
    assert_eq!(format!("{:?}", Encryptor::new(&[7; 16])), "Encryptor(..)");
    assert_eq!(format!("{:?}", Decryptor::new(&[7; 16])), "Decryptor(..)");
}

proptest! {
    #[test]
    fn both_implementations_agree_however_the_stream_is_cut(
        key: [u8; 16],
        register: [u8; 16],
        plaintext in prop::collection::vec(any::<u8>(), 0..600),
        cuts in prop::collection::vec(0..70usize, 0..12),
        other_cuts in prop::collection::vec(0..70usize, 0..12),
    ) {
        let mut ciphertext = plaintext.clone();
        Encryptor::plain(&key, &register).encrypt(&mut ciphertext);
        for mut encryptor in ENCRYPTORS.iter().filter_map(|make| make(&key, &register)) {
            let mut stream = plaintext.clone();
            in_pieces(&mut stream, &cuts, |piece| encryptor.encrypt(piece));
            prop_assert_eq!(&stream, &ciphertext);
        }
        for mut decryptor in DECRYPTORS.iter().filter_map(|make| make(&key, &register)) {
            let mut stream = ciphertext.clone();
            in_pieces(&mut stream, &other_cuts, |piece| decryptor.decrypt(piece));
            prop_assert_eq!(&stream, &plaintext);
        }
    }
}
