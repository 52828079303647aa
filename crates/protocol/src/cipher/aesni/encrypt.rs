//! Encryption: one chain of AES rounds, each byte's block waiting for the byte before. Only the chain's length
//! counts; everything beside it is done while it waits. It is 41 cycles a byte where a round takes four.
//!
//! Two things keep the chain that short.
//!
//! **The last round makes the next block.** A block's result is one byte, which is wanted as the last byte of the
//! next register. `aesenclast` XORs a whole round key onto its result, and in place of the round key it gets, at
//! the result's place, the last round key's byte, the plaintext byte and the next block's first round key; in all
//! other places the next register's fifteen known bytes with theirs. For this the last round's other fifteen
//! results must be known: the state is masked before it (one cycle), and the S-box makes 0x63 of zero.
//!
//! **Turned states.** The result comes out in the first place, row 0 of column 0, and is wanted in the last, row 3
//! of column 3. Moving it would cost another cycle or two. Instead the state is kept turned. Turn (a, b) holds row
//! r, column c in row r + a, column c + b (modulo 4). SubBytes goes byte by byte, and MixColumns looks the same
//! from every row and column. ShiftRows shifts row r by r columns; in a turned state by r + a, which is the same
//! with all columns turned a further. So a round on a state turned (a, b) gives the right result turned (a, b − a),
//! if its round key is turned that way too. Ten rounds give (a, b − 10a), and the result stands in row a, column b
//! − 2a. That is the last place of a state turned (a + 1, b − 2a + 1). Starting unturned, the turns are (0, 0), (1,
//! 1), (2, 0), (3, 1) and (0, 0) again: four sets of round keys, and four bytes to a turn of the loop.

use std::arch::x86_64::{
    __m128i, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_cvtsi32_si128, _mm_extract_epi32, _mm_shuffle_epi8,
    _mm_xor_si128,
};
use zeroize::Zeroize;

use super::{ZERO, load, schedule, store};

/// Rows and columns by which the four blocks of a turn of the loop are turned at their beginning.
const TURNS: [(usize, usize); 4] = [(0, 0), (1, 1), (2, 0), (3, 1)];

/// Where byte `index` of a block is in a state turned by `turn`. Places count down the columns, as AES counts.
const fn place(index: usize, turn: (usize, usize)) -> usize {
    let (row, column) = ((index % 4 + turn.0) % 4, (index / 4 + turn.1) % 4);
    4 * column + row
}

/// The turn after `rounds` rounds.
const fn after(rounds: usize, turn: (usize, usize)) -> (usize, usize) {
    (turn.0, (turn.1 + 3 * turn.0 * rounds) % 4)
}

/// For each step the place of its result, which is the place of the next block's last byte.
const RESULT: [usize; 4] = {
    let mut places = [0; 4];
    let mut step = 0;
    while step < 4 {
        places[step] = place(15, TURNS[(step + 1) % 4]);
        assert!(places[step] == place(0, after(10, TURNS[step])), "the result comes out where it is wanted");
        step += 1;
    }
    places
};

/// For each step the shuffle that masks the state before the last round: it leaves the byte that makes the result
/// where it is, and zero in all other places. A logical AND would do the same, but takes 2.5 cycles between two AES
/// instructions where a shuffle takes one (measured on Cascade Lake).
const MASK: [[u8; 16]; 4] = {
    let mut masks = [[0x80; 16]; 4];
    let mut step = 0;
    while step < 4 {
        let result = place(0, after(9, TURNS[step]));
        masks[step][result] = result as u8;
        step += 1;
    }
    masks
};

/// For each step the shuffle from its block to the next one's: all bytes one further to the front, in the
/// next turn's places, and zero in the place of the result.
const SHIFT: [[u8; 16]; 4] = {
    let mut shuffles = [[0x80; 16]; 4];
    let mut step = 0;
    while step < 4 {
        let mut index = 0;
        while index < 15 {
            shuffles[step][place(index, TURNS[(step + 1) % 4])] = place(index + 1, TURNS[step]) as u8;
            index += 1;
        }
        step += 1;
    }
    shuffles
};

/// For each step the shuffle that brings its plaintext byte, one of four, to the place of the result.
const PLAINTEXT: [[u8; 16]; 4] = {
    let mut shuffles = [[0x80; 16]; 4];
    let mut step = 0;
    while step < 4 {
        shuffles[step][RESULT[step]] = step as u8;
        step += 1;
    }
    shuffles
};

/// The shuffle that turns an unturned state by `turn`.
const fn turning(turn: (usize, usize)) -> [u8; 16] {
    let mut shuffle = [0; 16];
    let mut index = 0;
    while index < 16 {
        shuffle[place(index, turn)] = index as u8;
        index += 1;
    }
    shuffle
}

/// Everything that stays from one call to the next.
pub(super) struct State {
    /// The sixteen ciphertext bytes before the next one.
    register: __m128i,
    first_key: __m128i,
    /// For each step the keys of rounds 1 to 9.
    keys: [[__m128i; 9]; 4],
    /// For each step what makes the next block of a shifted one, but for the plaintext byte.
    merge: [__m128i; 4],
}

impl State {
    pub(super) const EMPTY: Self =
        Self { register: ZERO, first_key: ZERO, keys: [[ZERO; 9]; 4], merge: [ZERO; 4] };

    /// Expands the keys and sets the register.
    #[target_feature(enable = "aes,avx")]
    pub(super) fn start(&mut self, key: &[u8; 16], register: &[u8; 16]) {
        self.register = load(register);
        let mut schedule = schedule::expand(load(key));
        self.first_key = schedule[0];
        for (step, keys) in self.keys.iter_mut().enumerate() {
            for (index, key) in keys.iter_mut().enumerate() {
                let turn = load(&turning(after(index + 1, TURNS[step])));
                *key = _mm_shuffle_epi8(schedule[index + 1], turn);
            }
        }
        let (mut first, mut last) = (store(schedule[0]), store(schedule[10]));
        // The shifted block still has its own first round key on it, which this takes off; see the module's head.
        let mut merge: [u8; 16] = std::array::from_fn(|index| match index {
            15 => last[0] ^ first[15],
            _ => 0x63 ^ first[index] ^ first[index + 1],
        });
        for (step, key) in self.merge.iter_mut().enumerate() {
            *key = _mm_shuffle_epi8(load(&merge), load(&turning(TURNS[(step + 1) % 4])));
        }
        schedule.zeroize();
        first.zeroize();
        last.zeroize();
        merge.zeroize();
    }

    #[target_feature(enable = "aes,avx")]
    pub(super) fn encrypt(&mut self, bytes: &mut [u8]) {
        let mut block = _mm_xor_si128(self.register, self.first_key);
        let (groups, rest) = bytes.as_chunks_mut::<4>();
        for group in groups {
            let plaintext = _mm_cvtsi32_si128(i32::from_le_bytes(*group));
            block = self.step::<0>(block, plaintext);
            block = self.step::<1>(block, plaintext);
            block = self.step::<2>(block, plaintext);
            block = self.step::<3>(block, plaintext);
            // Unturned again, the block is the register under its first key.
            *group = _mm_extract_epi32::<3>(_mm_xor_si128(block, self.first_key)).to_le_bytes();
        }
        self.register = _mm_xor_si128(block, self.first_key);
        self.finish(block, rest);
    }

    /// Encrypts the last bytes, fewer than four, of a call.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    fn finish(&mut self, mut block: __m128i, rest: &mut [u8]) {
        if rest.is_empty() {
            return;
        }
        let mut plaintext = [0; 4];
        plaintext[..rest.len()].copy_from_slice(rest);
        let plaintext = _mm_cvtsi32_si128(i32::from_le_bytes(plaintext));
        let last_byte = store(self.first_key)[15];
        for (step, byte) in rest.iter_mut().enumerate() {
            block = match step {
                0 => self.step::<0>(block, plaintext),
                1 => self.step::<1>(block, plaintext),
                _ => self.step::<2>(block, plaintext),
            };
            *byte = store(block)[RESULT[step]] ^ last_byte;
        }
        let mut stream = [0; 20];
        stream[..16].copy_from_slice(&store(self.register));
        stream[16..][..rest.len()].copy_from_slice(rest);
        if let Some(register) = stream[rest.len()..].first_chunk() {
            self.register = load(register);
        }
    }

    /// Encrypts one byte: from a block under its first key, in `STEP`'s turn, to the next block in the next turn.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    fn step<const STEP: usize>(&self, block: __m128i, plaintext: __m128i) -> __m128i {
        // Beside the chain:
        let shifted = _mm_shuffle_epi8(block, load(&SHIFT[STEP]));
        let fresh = _mm_xor_si128(self.merge[STEP], _mm_shuffle_epi8(plaintext, load(&PLAINTEXT[STEP])));
        let merge = _mm_xor_si128(shifted, fresh);
        // The chain:
        let state = self.keys[STEP].iter().fold(block, |state, &key| _mm_aesenc_si128(state, key));
        _mm_aesenclast_si128(_mm_shuffle_epi8(state, load(&MASK[STEP])), merge)
    }
}

impl Zeroize for State {
    fn zeroize(&mut self) {
        self.register.zeroize();
        self.first_key.zeroize();
        self.keys.zeroize();
        self.merge.zeroize();
    }
}
