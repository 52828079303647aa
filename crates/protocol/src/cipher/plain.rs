//! CFB8 over the `aes` crate: for processors without a fast path of their own here, and what the fast path is
//! tested against.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use zeroize::Zeroize;

/// Blocks in flight while decrypting; the `aes` crate runs as many of them side by side as the processor allows.
const LANES: usize = 16;

/// The key and the shift register: the sixteen ciphertext bytes before the next one. The key is wiped by the `aes`
/// crate, whose feature `zeroize` is for that.
pub(super) struct Register {
    cipher: Aes128Enc,
    register: [u8; 16],
}

impl Register {
    pub(super) fn new(key: &[u8; 16], register: &[u8; 16]) -> Box<Self> {
        Box::new(Self { cipher: Aes128Enc::new(key.into()), register: *register })
    }

    pub(super) fn encrypt(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let mut block = Array(self.register);
            self.cipher.encrypt_block(&mut block);
            *byte ^= block[0];
            self.register.copy_within(1.., 0);
            self.register[15] = *byte;
        }
    }

    pub(super) fn decrypt(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(LANES) {
            let mut stream = [0; 16 + LANES];
            stream[..16].copy_from_slice(&self.register);
            stream[16..][..chunk.len()].copy_from_slice(chunk);

            let mut blocks = [Array([0; 16]); LANES];
            let blocks = &mut blocks[..chunk.len()];
            for (block, window) in blocks.iter_mut().zip(stream.windows(16)) {
                block.copy_from_slice(window);
            }
            self.cipher.encrypt_blocks(blocks);
            for (byte, block) in chunk.iter_mut().zip(blocks) {
                *byte ^= block[0];
            }
            self.register.copy_from_slice(&stream[chunk.len()..][..16]);
        }
    }
}

impl Drop for Register {
    fn drop(&mut self) {
        self.register.zeroize();
    }
}
