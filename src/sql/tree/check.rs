//! The start-up check.
/// x
pub(crate) fn self_check() -> Result<(), String> {
    Ok(())
}
