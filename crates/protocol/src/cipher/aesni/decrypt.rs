//! Decryption: the registers of all bytes are known beforehand, so sixteen blocks are under way at once and the AES
//! unit is never idle. What counts is how many rounds it is asked for.
//!
//! One byte of each block is wanted, so the last two rounds are shared. That byte depends on one column of the
//! round before, and this on four bytes (one of each column) of the round before that. After eight rounds the four
//! bytes of four blocks are packed into one state, in the places from which ShiftRows makes one column of each
//! block's: the ninth round is done once for four blocks. After it one byte of each of the sixteen blocks is packed
//! into one state, and the tenth round is done once for all sixteen: 16 × 8 + 4 + 1 = 133 rounds in place of 160.
//!
//! The plaintext overwrites the ciphertext that later bytes need; all registers of a chunk are cut out of two
//! processor registers, the sixteen bytes before and the chunk itself, loaded before anything is written.

use std::arch::x86_64::{
    __m128i, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_alignr_epi8, _mm_or_si128, _mm_shuffle_epi8,
    _mm_shuffle_epi32, _mm_xor_si128,
};
use zeroize::Zeroize;

use super::{ZERO, load, schedule, store};

/// For each block of a group the shuffle that takes the bytes from which the ninth round makes its first column,
/// to where it makes that block's column of them. All other places are zero.
const PACK_COLUMNS: [[u8; 16]; 4] = {
    let mut shuffles = [[0x80; 16]; 4];
    let mut lane = 0;
    while lane < 4 {
        let mut row = 0;
        while row < 4 {
            shuffles[lane][4 * ((lane + row) % 4) + row] = 5 * row as u8;
            row += 1;
        }
        lane += 1;
    }
    shuffles
};

/// For each group the shuffle that takes its four blocks' first bytes, one in each column, to where the last round's
/// ShiftRows brings them from into the order of the stream. All other places are zero.
const PACK_BYTES: [[u8; 16]; 4] = {
    let mut shuffles = [[0x80; 16]; 4];
    let mut group = 0;
    while group < 4 {
        let mut lane = 0;
        while lane < 4 {
            shuffles[group][4 * ((group + lane) % 4) + lane] = 4 * lane as u8;
            lane += 1;
        }
        group += 1;
    }
    shuffles
};

/// Everything that stays from one call to the next.
pub(super) struct State {
    /// The sixteen ciphertext bytes before the next one.
    register: __m128i,
    /// The first round key and those of rounds 1 to 8.
    keys: [__m128i; 9],
    /// The first column of the ninth round's key in every column.
    column_key: __m128i,
    /// The first byte of the last round's key in every byte.
    byte_key: __m128i,
}

impl State {
    pub(super) const EMPTY: Self = Self { register: ZERO, keys: [ZERO; 9], column_key: ZERO, byte_key: ZERO };

    /// Expands the keys and sets the register.
    #[target_feature(enable = "aes,avx")]
    pub(super) fn start(&mut self, key: &[u8; 16], register: &[u8; 16]) {
        self.register = load(register);
        let mut schedule = schedule::expand(load(key));
        self.keys.copy_from_slice(&schedule[..9]);
        self.column_key = _mm_shuffle_epi32::<0>(schedule[9]);
        self.byte_key = _mm_shuffle_epi8(schedule[10], ZERO);
        schedule.zeroize();
    }

    #[target_feature(enable = "aes,avx")]
    pub(super) fn decrypt(&mut self, bytes: &mut [u8]) {
        let (chunks, rest) = bytes.as_chunks_mut();
        self.chunks(chunks);
        if rest.is_empty() {
            return;
        }
        // The rest is decrypted as a chunk with something behind it, which changes nothing of what comes before.
        let mut stream = [0; 32];
        stream[..16].copy_from_slice(&store(self.register));
        stream[16..][..rest.len()].copy_from_slice(rest);
        let mut chunk = [0; 16];
        chunk[..rest.len()].copy_from_slice(rest);
        self.chunks(std::slice::from_mut(&mut chunk));
        rest.copy_from_slice(&chunk[..rest.len()]);
        if let Some(register) = stream[rest.len()..].first_chunk() {
            self.register = load(register);
        }
    }

    #[target_feature(enable = "aes,avx")]
    fn chunks(&mut self, chunks: &mut [[u8; 16]]) {
        for chunk in chunks {
            let ciphertext = load(chunk);
            *chunk = store(self.chunk(self.register, ciphertext));
            self.register = ciphertext;
        }
    }

    /// The plaintext of sixteen bytes, given the sixteen ciphertext bytes before them and themselves.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    fn chunk(&self, before: __m128i, ciphertext: __m128i) -> __m128i {
        // Byte n's register is `before` and `ciphertext` as one, from byte n on.
        macro_rules! register {
            ($($n:literal)*) => { [$(_mm_alignr_epi8::<$n>(ciphertext, before)),*] };
        }
        let first = self.group::<0>(register!(0 1 2 3));
        let second = self.group::<1>(register!(4 5 6 7));
        let third = self.group::<2>(register!(8 9 10 11));
        let fourth = self.group::<3>(register!(12 13 14 15));
        let packed = _mm_or_si128(_mm_or_si128(first, second), _mm_or_si128(third, fourth));
        _mm_aesenclast_si128(packed, _mm_xor_si128(self.byte_key, ciphertext))
    }

    /// Nine rounds of four blocks, and their first bytes in the places for the last.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    fn group<const GROUP: usize>(&self, mut blocks: [__m128i; 4]) -> __m128i {
        let [first, rounds @ ..] = &self.keys;
        for block in &mut blocks {
            *block = _mm_xor_si128(*block, *first);
        }
        for key in rounds {
            for block in &mut blocks {
                *block = _mm_aesenc_si128(*block, *key);
            }
        }
        for (block, shuffle) in blocks.iter_mut().zip(&PACK_COLUMNS) {
            *block = _mm_shuffle_epi8(*block, load(shuffle));
        }
        let [first, second, third, fourth] = blocks;
        let packed = _mm_or_si128(_mm_or_si128(first, second), _mm_or_si128(third, fourth));
        _mm_shuffle_epi8(_mm_aesenc_si128(packed, self.column_key), load(&PACK_BYTES[GROUP]))
    }
}

impl Zeroize for State {
    fn zeroize(&mut self) {
        self.register.zeroize();
        self.keys.zeroize();
        self.column_key.zeroize();
        self.byte_key.zeroize();
    }
}
