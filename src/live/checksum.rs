//! The checksums that tools keep of the files they ran.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use sha2::{Digest, Sha256, Sha384};

use crate::layout::{Layout, Script};
use crate::source::Source;

/// What the tool would note down for a script now, as its table shows it; none where it keeps none that is known.
pub(super) fn of(layout: &Layout, script: &Script, sources: &[Source]) -> Option<String> {
    let text: &str = &sources[script.source.0 as usize].text;
    match layout.name {
        "prisma" | "drizzle" => Some(hex(&Sha256::digest(text))),
        // A `bytea`.
        "sqlx" => Some(format!("\\x{}", hex(&Sha384::digest(text)))),
        // Placeholders are replaced first, and their values are not known here.
        "flyway" if !text.contains("${") => Some(flyway(text).to_string()),
        "refinery" => {
            let file = script.path.rsplit('/').next().unwrap_or_default();
            let (_, name) = file.strip_suffix(".sql")?.split_once("__")?;
            refinery(name, &script.version, text)
        }
        _ => None,
    }
}

/// `SipHash` of name, version and text, as the library hashes Rust's own types; the standard library hashes so as well,
/// and a test with the real tool would notice if that changed.
fn refinery(name: &str, version: &str, text: &str) -> Option<String> {
    let version: i32 = version.parse().ok()?;
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    version.hash(&mut hasher);
    text.hash(&mut hasher);
    Some(hasher.finish().to_string())
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

    /// What refinery 0.10 wrote down for a file `V1__a.sql`.
    #[test]
    fn refinery_hashes_name_version_and_text() {
        assert_eq!(
            refinery("a", "1", "create table a(id int);\n").as_deref(),
            Some("5959330983540576460")
        );
    }

    #[test]
    fn a_line_end_is_not_part_of_it() {
        // The check value of CRC-32 (ISO-HDLC).
        assert_eq!(flyway("1234\r\n56789").cast_unsigned(), 0xcbf4_3926);
        assert_eq!(flyway("\u{feff}123456789\n").cast_unsigned(), 0xcbf4_3926);
    }
}
