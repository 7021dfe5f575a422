/// x
pub fn agrees_with_protobuf(_sql: &str) -> Result<(), String> {
    Ok(())
}
