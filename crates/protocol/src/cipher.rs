//! AES-128-CFB8, the cipher of an encrypted connection: key and first register are both the shared secret
//! (Minecraft wiki, "Java Edition protocol/Encryption"; the mode is NIST SP 800-38A's CFB with s = 8).
//!
//! Each byte is XORed with the first byte of the encrypted shift register, which holds the sixteen ciphertext bytes
//! before it. So every byte costs a whole AES block: an encryptor waits for each before it can begin the next,
//! while a decryptor knows all its registers beforehand and has many blocks under way at once.
//!
//! What must stay true: how a stream is cut into calls never changes what comes out; both implementations give the
//! same bytes; nothing of a key is left in memory when its encryptor or decryptor is dropped.
//!
//! * `aesni`: the fast path, on x86-64 processors with AES instructions;
//! * `plain`: everywhere else, over the `aes` crate.

#[cfg(target_arch = "x86_64")]
mod aesni;
mod plain;

/// Encrypts one direction of a connection.
///
/// ```
/// use drawbridge_protocol::cipher::{Decryptor, Encryptor};
///
/// let secret = [7; 16];
/// let mut bytes = *b"hello";
/// Encryptor::new(&secret).encrypt(&mut bytes);
/// assert_ne!(&bytes, b"hello");
/// Decryptor::new(&secret).decrypt(&mut bytes);
/// assert_eq!(&bytes, b"hello");
/// ```
pub struct Encryptor(EncryptorKind);

/// Boxed, so that moving an encryptor from one owner to the next leaves no copies of its keys behind.
enum EncryptorKind {
    #[cfg(target_arch = "x86_64")]
    AesNi(Box<aesni::Encryptor>),
    Plain(Box<plain::Register>),
}

impl Encryptor {
    /// An encryptor at the beginning of its stream, with the fastest implementation that this processor has.
    #[must_use]
    pub fn new(secret: &[u8; 16]) -> Self {
        Self::fast(secret, secret).unwrap_or_else(|| Self::plain(secret, secret))
    }

    #[cfg(target_arch = "x86_64")]
    fn fast(key: &[u8; 16], register: &[u8; 16]) -> Option<Self> {
        aesni::Encryptor::new(key, register).map(|encryptor| Self(EncryptorKind::AesNi(encryptor)))
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn fast(_key: &[u8; 16], _register: &[u8; 16]) -> Option<Self> {
        None
    }

    fn plain(key: &[u8; 16], register: &[u8; 16]) -> Self {
        Self(EncryptorKind::Plain(plain::Register::new(key, register)))
    }

    /// Encrypts the stream's next bytes in place.
    pub fn encrypt(&mut self, bytes: &mut [u8]) {
        match &mut self.0 {
            #[cfg(target_arch = "x86_64")]
            EncryptorKind::AesNi(encryptor) => encryptor.encrypt(bytes),
            EncryptorKind::Plain(register) => register.encrypt(bytes),
        }
    }
}

/// Decrypts one direction of a connection.
pub struct Decryptor(DecryptorKind);

/// Boxed for the same reason as [`EncryptorKind`].
enum DecryptorKind {
    #[cfg(target_arch = "x86_64")]
    AesNi(Box<aesni::Decryptor>),
    Plain(Box<plain::Register>),
}

impl Decryptor {
    /// A decryptor at the beginning of its stream, with the fastest implementation that this processor has.
    #[must_use]
    pub fn new(secret: &[u8; 16]) -> Self {
        Self::fast(secret, secret).unwrap_or_else(|| Self::plain(secret, secret))
    }

    #[cfg(target_arch = "x86_64")]
    fn fast(key: &[u8; 16], register: &[u8; 16]) -> Option<Self> {
        aesni::Decryptor::new(key, register).map(|decryptor| Self(DecryptorKind::AesNi(decryptor)))
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn fast(_key: &[u8; 16], _register: &[u8; 16]) -> Option<Self> {
        None
    }

    fn plain(key: &[u8; 16], register: &[u8; 16]) -> Self {
        Self(DecryptorKind::Plain(plain::Register::new(key, register)))
    }

    /// Decrypts the stream's next bytes in place.
    pub fn decrypt(&mut self, bytes: &mut [u8]) {
        match &mut self.0 {
            #[cfg(target_arch = "x86_64")]
            DecryptorKind::AesNi(decryptor) => decryptor.decrypt(bytes),
            DecryptorKind::Plain(register) => register.decrypt(bytes),
        }
    }
}

impl std::fmt::Debug for Encryptor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Encryptor(..)")
    }
}

impl std::fmt::Debug for Decryptor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Decryptor(..)")
    }
}

#[cfg(test)]
mod tests;
