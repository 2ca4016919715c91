//! placeholder
/// x
#[derive(Debug)]
pub struct Transport<P>(P);
