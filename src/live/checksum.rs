//! The checksums that tools keep of the files they ran.

use sha2::{Digest, Sha256, Sha384};

use crate::layout::Layout;
use crate::source::Source;

/// What the tool would note down for a file now, as its table shows it; none where it keeps none that is known.
pub(super) fn of(layout: &Layout, source: &Source) -> Option<String> {
    let text: &str = &source.text;
    match layout.name {
        "prisma" | "drizzle" => Some(hex(&Sha256::digest(text))),
        // A `bytea`.
        "sqlx" => Some(format!("\\x{}", hex(&Sha384::digest(text)))),
        // Placeholders are replaced first, and their values are not known here.
        "flyway" if !text.contains("${") => Some(flyway(text).to_string()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// CRC-32 over the lines without their ends and without a byte order mark, as a signed number.
fn flyway(text: &str) -> i32 {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut crc = u32::MAX;
    for byte in text.bytes().filter(|byte| !b"\r\n".contains(byte)) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let mask = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xedb8_8320 & mask);
        }
    }
    (!crc).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_end_is_not_part_of_it() {
        // The check value of CRC-32 (ISO-HDLC).
        assert_eq!(flyway("1234\r\n56789").cast_unsigned(), 0xcbf4_3926);
        assert_eq!(flyway("\u{feff}123456789\n").cast_unsigned(), 0xcbf4_3926);
    }
}
