//! The calls into AWS-LC, and nothing else. Every object of the library has one owner here, which frees it.
//!
//! Unsafe code is allowed in this module alone: the library's functions are C, and RSA of 1,024 bits has no safe
//! interface.
//!
//! What must stay true: a pointer that the library gave is checked for null before it is used; buffers are handed
//! over with their own lengths; the library's queue of errors is left empty.

#![allow(unsafe_code)]

use std::os::raw::c_long;
use std::ptr::{self, NonNull};

use aws_lc_sys::{
    BIGNUM, BN_free, BN_new, BN_set_word, ERR_clear_error, OPENSSL_free, RAND_bytes, RSA, RSA_NO_PADDING,
    RSA_PKCS1_PADDING, RSA_decrypt, RSA_encrypt, RSA_free, RSA_generate_key_ex, RSA_new, RSA_size,
    d2i_RSA_PUBKEY, i2d_RSA_PUBKEY,
};

use crate::{MODULUS, RsaError};

/// An RSA key, public or with its private part. Freeing it wipes it.
pub(crate) struct Key(NonNull<RSA>);

// SAFETY: an RSA object belongs to no thread, and `Key` is its one owner.
unsafe impl Send for Key {}

// SAFETY: `openssl/rsa.h` says that an RSA object may be used on several threads at once by functions that don't
// mutate it, and that encryption and decryption are such, also where they take it by a non-const pointer: what they
// compute once and keep, and the blinding factors, are behind the object's own lock. Nothing below mutates a key
// after it was made: `decrypt_raw` and `encrypt` are those functions, all others take it by a const pointer.
unsafe impl Sync for Key {}

impl Key {
    /// A key pair of [`MODULUS`] bytes with the public exponent 65537.
    pub(crate) fn generate() -> Result<Self, RsaError> {
        // SAFETY: takes nothing; null is sorted out below.
        let key = Self(NonNull::new(unsafe { RSA_new() }).ok_or(RsaError::Generate)?);
        let exponent = Number::new(65537).ok_or(RsaError::Generate)?;
        // SAFETY: both objects are alive, and the callback may be null.
        let made = unsafe {
            RSA_generate_key_ex(key.0.as_ptr(), 8 * MODULUS as i32, exponent.0.as_ptr(), ptr::null_mut())
        };
        checked(made, RsaError::Generate)?;
        if key.size() == MODULUS { Ok(key) } else { Err(RsaError::Generate) }
    }

    /// The key in a `SubjectPublicKeyInfo`.
    pub(crate) fn from_public_der(der: &[u8]) -> Result<Self, RsaError> {
        let length = c_long::try_from(der.len()).map_err(|_| RsaError::PublicKey)?;
        let mut rest = der.as_ptr();
        // SAFETY: `rest` points at `length` readable bytes, and where no object is given to reuse, a fresh one is
        // made.
        let key = unsafe { d2i_RSA_PUBKEY(ptr::null_mut(), &raw mut rest, length) };
        let Some(key) = NonNull::new(key).map(Self) else {
            clear_errors();
            return Err(RsaError::PublicKey);
        };
        // On success `rest` was moved to behind what was read.
        if rest == der.as_ptr_range().end { Ok(key) } else { Err(RsaError::PublicKey) }
    }

    /// The public key as a `SubjectPublicKeyInfo`.
    pub(crate) fn public_der(&self) -> Result<Vec<u8>, RsaError> {
        let mut start = ptr::null_mut();
        // SAFETY: the key is alive; where `start` is null, the library allocates the bytes and sets it.
        let length = unsafe { i2d_RSA_PUBKEY(self.0.as_ptr(), &raw mut start) };
        let Some(bytes) = NonNull::new(start).map(Bytes) else {
            clear_errors();
            return Err(RsaError::Generate);
        };
        let length = usize::try_from(length).map_err(|_| RsaError::Generate)?;
        // SAFETY: the library wrote `length` bytes there, which live as long as `bytes`, beyond the copy.
        Ok(unsafe { std::slice::from_raw_parts(bytes.0.as_ptr(), length) }.to_vec())
    }

    /// The bare private operation, blinded and checked. Fails only for what anybody can see: a ciphertext of
    /// another length, or, as a number, not between 1 and the modulus less one; or for want of memory. `encoded` is
    /// then as it was.
    pub(crate) fn decrypt_raw(&self, ciphertext: &[u8], encoded: &mut [u8; MODULUS]) -> Result<(), RsaError> {
        let mut written = 0;
        let mut result = zeroize::Zeroizing::new([0; MODULUS]);
        // SAFETY: the key is alive; both buffers are handed over with their lengths, and the library refuses a
        // ciphertext that isn't as long as the modulus before it reads it.
        let done = unsafe {
            RSA_decrypt(
                self.0.as_ptr(),
                &raw mut written,
                result.as_mut_ptr(),
                result.len(),
                ciphertext.as_ptr(),
                ciphertext.len(),
                RSA_NO_PADDING,
            )
        };
        checked(done, RsaError::Decrypt)?;
        if written != MODULUS {
            return Err(RsaError::Decrypt);
        }
        encoded.copy_from_slice(&*result);
        Ok(())
    }

    /// Pads and encrypts.
    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, RsaError> {
        let mut ciphertext = vec![0; self.size()];
        let mut written = 0;
        // SAFETY: the key is alive, and both buffers are handed over with their lengths.
        let done = unsafe {
            RSA_encrypt(
                self.0.as_ptr(),
                &raw mut written,
                ciphertext.as_mut_ptr(),
                ciphertext.len(),
                plaintext.as_ptr(),
                plaintext.len(),
                RSA_PKCS1_PADDING,
            )
        };
        checked(done, RsaError::Encrypt(plaintext.len()))?;
        ciphertext.truncate(written);
        Ok(ciphertext)
    }

    /// Bytes of the modulus.
    fn size(&self) -> usize {
        // SAFETY: the key is alive, and has a modulus since it was made.
        unsafe { RSA_size(self.0.as_ptr()) as usize }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: this is the one owner, and nothing uses the key behind its end.
        unsafe { RSA_free(self.0.as_ptr()) }
    }
}

/// A number of the library's.
struct Number(NonNull<BIGNUM>);

impl Number {
    fn new(value: u32) -> Option<Self> {
        // SAFETY: takes nothing; null is sorted out here.
        let number = Self(NonNull::new(unsafe { BN_new() })?);
        // SAFETY: the number is alive.
        let set = unsafe { BN_set_word(number.0.as_ptr(), value.into()) };
        (set == 1).then_some(number)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        // SAFETY: this is the one owner.
        unsafe { BN_free(self.0.as_ptr()) }
    }
}

/// Bytes that the library allocated.
struct Bytes(NonNull<u8>);

impl Drop for Bytes {
    fn drop(&mut self) {
        // SAFETY: this is the one owner, and the bytes came from the library's allocator.
        unsafe { OPENSSL_free(self.0.as_ptr().cast()) }
    }
}

/// Fills `bytes` from the library's generator, which the operating system seeds.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), RsaError> {
    // SAFETY: the buffer is handed over with its length.
    checked(unsafe { RAND_bytes(bytes.as_mut_ptr(), bytes.len()) }, RsaError::Generate)
}

/// What a function of the library returned, 1 for success, as a result.
fn checked(returned: i32, error: RsaError) -> Result<(), RsaError> {
    if returned == 1 {
        return Ok(());
    }
    clear_errors();
    Err(error)
}

/// Empties the calling thread's queue of errors, which nobody reads.
fn clear_errors() {
    // SAFETY: touches nothing but the calling thread's own queue.
    unsafe { ERR_clear_error() }
}
