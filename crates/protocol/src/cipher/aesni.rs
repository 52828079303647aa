//! CFB8 on the AES instructions of x86-64, with nothing but 128-bit registers.
//!
//! This module alone in the crate may use unsafe code: the instructions are reached through intrinsics that may run
//! only where the processor has them, and through loads and stores by pointer. Both types can only be made by a
//! `new` that has asked the processor, and that is what every call into a `target_feature` function rests on.
//!
//! `encrypt` and `decrypt` hold one direction each, `schedule` the keys.

#![allow(unsafe_code)]

mod decrypt;
mod encrypt;
mod schedule;

use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_storeu_si128};
use zeroize::Zeroize;

/// Encrypts a stream; see [`encrypt`](self::encrypt) for how.
pub(super) struct Encryptor(encrypt::State);

impl Encryptor {
    /// An encryptor that begins with `register`, or `None` where the processor lacks the instructions.
    pub(super) fn new(key: &[u8; 16], register: &[u8; 16]) -> Option<Box<Self>> {
        if !available() {
            return None;
        }
        let mut encryptor = Box::new(Self(encrypt::State::EMPTY));
        // SAFETY: the processor has the features, as was just asked.
        unsafe { encryptor.0.start(key, register) };
        Some(encryptor)
    }

    pub(super) fn encrypt(&mut self, bytes: &mut [u8]) {
        // SAFETY: the processor has the features, or `new` would have made nothing.
        unsafe { self.0.encrypt(bytes) }
    }
}

impl Drop for Encryptor {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Decrypts a stream; see [`decrypt`](self::decrypt) for how.
pub(super) struct Decryptor(decrypt::State);

impl Decryptor {
    /// A decryptor that begins with `register`, or `None` where the processor lacks the instructions.
    pub(super) fn new(key: &[u8; 16], register: &[u8; 16]) -> Option<Box<Self>> {
        if !available() {
            return None;
        }
        let mut decryptor = Box::new(Self(decrypt::State::EMPTY));
        // SAFETY: the processor has the features, as was just asked.
        unsafe { decryptor.0.start(key, register) };
        Some(decryptor)
    }

    pub(super) fn decrypt(&mut self, bytes: &mut [u8]) {
        // SAFETY: the processor has the features, or `new` would have made nothing.
        unsafe { self.0.decrypt(bytes) }
    }
}

impl Drop for Decryptor {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Whether the processor has what the `target_feature` functions below name. The standard library asks it once.
fn available() -> bool {
    is_x86_feature_detected!("aes") && is_x86_feature_detected!("avx")
}

/// All bits clear; the intrinsic for it is not `const`.
// SAFETY: any bit pattern is a value of the type.
const ZERO: __m128i = unsafe { std::mem::transmute([0u8; 16]) };

#[inline]
#[target_feature(enable = "avx")]
fn load(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the reference is good for sixteen bytes, and this load asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx")]
fn store(register: __m128i) -> [u8; 16] {
    let mut bytes = [0; 16];
    // SAFETY: the array has sixteen bytes, and this store asks for no alignment.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), register) };
    bytes
}
