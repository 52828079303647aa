use super::*;
use crate::public::{PublicKey, to_der};

/// Made by OpenSSL 3.0: `openssl genrsa -traditional -primes 3 1024`, read by `openssl rsa -text`.
const PRIMES: [&str; 3] = [
    "30cb9ce6eb797e147033ac6b7267b7b0f55be35d7315b5526257f0763faf49bf2202369ad8b862ca3fbd81",
    "1d18f8f7057a7bb3bc409fcf62bb8fdc20b5a8ae8e4a17113eb132291040626c6a1417b5571c047d26035d",
    "1a9c7ebe1994f2363b09fe855ab450e05e05c6d821307ddbd957c3b86954a47e43b74f3debf2d213625fe9",
];
const PRODUCT: &str = "\
    939769f5159e2481490e955669f91676827782906b9ae3261dcbf19194c460943da0cd9f762256937c0c5fce16356244\
    aa936cbc2eb68d130969c2f7b340adbfd6376254972340c976b8280c33a82c2ccb303bacc9cbfdf30776db8ceb74580b\
    feb0e6a3ad96b3f2f670b4465fb393bbad4c27c5bd795f6999b7f8c5cb9ab625";
/// Made with that key: the first ciphertext by `openssl pkeyutl -encrypt -pkeyopt rsa_padding_mode:pkcs1` of the
/// bytes 0 to 15, the others are numbers; the plaintexts of all by `openssl pkeyutl -decrypt -pkeyopt
/// rsa_padding_mode:none`.
const OPERATIONS: [(&str, &str); 3] = [
    (
        "50a79dcb1e7123d2efe0afdffaaa611fc5ac2a594061bae8df3f9af9471429455ad017a5fcb5e504ac37fe54ebd8a32b\
         136de4afea7f710f0ed29067b902d79dea2819e885758972ac11416e93104dabcd9548930154f516a994453f8835d526\
         52a97e61f37cdbe9f7a78f12538a9e42748f9d5d066db5e541891ae1254e24c9",
        "0002e2ddc01c14ad0487f80d304021b12ed5e69e9f2c796b12a9fccbc2216f9c61a415bd39aeff93bf6ff1edfd2266df\
         44588a9b6c84dd1be9347b6ba619906df26b75add7cc385689e6797923dba3489958f6ed2e7f8c4bbcfcf57681e821ca\
         5ef54db35487d7d713064addd15da300000102030405060708090a0b0c0d0e0f",
    ),
    (
        "55555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555\
         55555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555555\
         555555555555555555555555555555555555555555555555555555555555",
        "4647f6852798d0e2acd43911c76157c8dec2a59fb4e3fa9b20a807b90703252fb1565ae4ec40084313a9f93c42321eca\
         b13e3597db9bee2b9b7011c98c2f8461b2809e4772df66c3c0b99b228febc15d0a2259917b30ac72e6d99f0771dbc564\
         4c6f612880296977e40ab3a1f7496848675d665084b1dfa28a575de5a3941ad7",
    ),
    (
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
         00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
         000000000000000000000000000000000000000000000000000000000002",
        "687629ef46aaa6c033de1021559977a34d3678b33533811f0d626fd39979d2e45df867f44a9f467b73f0df49bc5c2784\
         ac99d67f873a80d44e22f30c493c15fb777197e30d0b4c14434030313db27722b4eeed0b5f604b9e983aca9c948b228d\
         9cea2aa176ab0fc4e88823c8c770b82ffd6fc4d685959746fb8433dae328113d",
    ),
];

fn hex(text: &str) -> [u8; MODULUS] {
    bytes(&U1024::from_be_hex(text))
}

fn primes() -> [U384; 3] {
    PRIMES.map(|prime| U384::from_be_hex(&format!("{prime:0>96}")))
}

fn seeds() -> [U384; 3] {
    [2u8, 3, 5].map(U384::from)
}

#[test]
fn computes_as_openssl_does_with_a_key_of_its_making() {
    let key = PrivateKey::from_primes(&primes(), &seeds()).unwrap();
    assert_eq!(key.modulus(), hex(PRODUCT));
    // More than once: the blinding is another each time.
    for round in 0..3 {
        for (ciphertext, plaintext) in OPERATIONS {
            assert_eq!(*key.decrypt_raw(&hex(ciphertext)).unwrap(), hex(plaintext), "round {round}");
        }
    }
}

#[test]
fn primes_in_another_order_make_the_same_key() {
    let [first, second, third] = primes();
    let key = PrivateKey::from_primes(&[first, third, second], &seeds()).unwrap();
    let (ciphertext, plaintext) = OPERATIONS[1];
    assert_eq!(*key.decrypt_raw(&hex(ciphertext)).unwrap(), hex(plaintext));
}

#[test]
fn multiples_of_a_prime_are_decrypted() {
    let [first, second, third] = primes();
    let key = PrivateKey::from_primes(&[first, second, third], &seeds()).unwrap();
    let pair = first.resize::<{ U1024::LIMBS }>().wrapping_mul(&second);
    for number in [first.resize(), second.resize(), third.resize(), pair] {
        let plaintext = key.decrypt_raw(&bytes(&number)).unwrap();
        let public = PublicKey::from_der(&to_der(&key.modulus(), 65537).unwrap()).unwrap();
        let back = public.raised(&*plaintext);
        assert_eq!(back, bytes(&number));
    }
}

#[test]
fn what_makes_no_key_is_refused() {
    let [first, second, third] = primes();
    let none = |primes: [U384; 3]| PrivateKey::from_primes(&primes, &seeds()).is_none();
    assert!(none([first, second, second]), "the same prime twice");
    assert!(none([second, first, third]), "sizes");
    assert!(none([first, second, U384::ONE.shl(340) | U384::ONE]), "a modulus of 1,023 bits");
    // p - 1 a multiple of 65537. That p is no prime then makes no difference here, as the next odd number shows.
    let multiple = U384::from(EXPONENT).wrapping_mul(&U384::from(7u8).shl(323));
    assert!(none([multiple.wrapping_add(&U384::ONE), second, third]), "no private exponent");
    assert!(!none([multiple.wrapping_add(&U384::from(3u8)), second, third]));
}

#[test]
fn keys_have_three_primes_and_a_modulus_of_1024_bits() {
    for _ in 0..40 {
        let drawn = SIZES.map(|size| prime(size).unwrap());
        for (prime, size) in drawn.iter().zip(SIZES) {
            assert_eq!(prime.bits(), size);
            assert_eq!(prime.shr(size - 2), U384::from(3u8), "the first two bits are set");
            // Fermat's test, with the arithmetic that the key is used with.
            let field = Field::new(&Odd::new(*prime).unwrap());
            for base in [2u8, 3, 5, 7].map(|base| field.residue(&limbs(&U384::from(base)))) {
                let one = field.multiply(&field.inverse(&base), &base);
                assert_eq!(number(&field.number(&one)), U384::ONE);
            }
        }
    }
}

#[test]
fn blinding_changes_and_undoes_itself() {
    let key = PrivateKey::generate().unwrap();
    let (first, second) = (key.next_blinding(), key.next_blinding());
    for (at, field) in key.primes.iter().enumerate() {
        assert_ne!(field.number(&first[at].factor), field.number(&second[at].factor));
        for blinding in [first, second] {
            let raised = field.power(&blinding[at].factor, &key.exponents[at]);
            let one = field.multiply(&raised, &blinding[at].undoing);
            assert_eq!(number(&field.number(&one)), U384::ONE);
        }
    }
}
