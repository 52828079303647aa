//! The AES-128 key schedule (FIPS 197, section 5.2).

use std::arch::x86_64::{
    __m128i, _mm_aeskeygenassist_si128, _mm_shuffle_epi32, _mm_slli_si128, _mm_xor_si128,
};

use super::ZERO;

/// The eleven round keys, wiped by whoever expanded them.
#[inline]
#[target_feature(enable = "aes,avx")]
pub(super) fn expand(key: __m128i) -> [__m128i; 11] {
    let mut keys = [ZERO; 11];
    keys[0] = key;
    keys[1] = next::<0x01>(keys[0]);
    keys[2] = next::<0x02>(keys[1]);
    keys[3] = next::<0x04>(keys[2]);
    keys[4] = next::<0x08>(keys[3]);
    keys[5] = next::<0x10>(keys[4]);
    keys[6] = next::<0x20>(keys[5]);
    keys[7] = next::<0x40>(keys[6]);
    keys[8] = next::<0x80>(keys[7]);
    keys[9] = next::<0x1b>(keys[8]);
    keys[10] = next::<0x36>(keys[9]);
    keys
}

/// The round key after `key`: each word the XOR of its predecessors and of the last word, rotated and substituted.
#[inline]
#[target_feature(enable = "aes,avx")]
fn next<const ROUND: i32>(key: __m128i) -> __m128i {
    let substituted = _mm_shuffle_epi32::<0xff>(_mm_aeskeygenassist_si128::<ROUND>(key));
    let pairs = _mm_xor_si128(key, _mm_slli_si128::<4>(key));
    let prefixes = _mm_xor_si128(pairs, _mm_slli_si128::<8>(pairs));
    _mm_xor_si128(prefixes, substituted)
}
