//! CRC-32C (Castagnoli), the checksum of version 2 (RFC 3720, appendix B.4; reflected polynomial 0x82F63B78).

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

/// The checksum of `parts` one after another.
pub(super) fn of(parts: &[&[u8]]) -> u32 {
    let bytes = parts.iter().copied().flatten();
    !bytes.fold(!0, |crc, byte| (crc >> 8) ^ TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
    #[test]
    fn matches_the_published_vectors() {
        assert_eq!(of(&[b"123456789"]), 0xE306_9283);
        assert_eq!(of(&[b"1234", b"", b"56789"]), 0xE306_9283);
        assert_eq!(of(&[&[0; 32]]), 0x8A91_36AA);
        assert_eq!(of(&[&[0xff; 32]]), 0x62A8_AB43);
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(of(&[&rising]), 0x46DD_794E);
    }
}
