//! Lockgate.

pub mod source;
mod sql;

#[doc(hidden)]
pub mod testing {
    //! For the project's own integration tests; no part of the public interface.
    pub use crate::sql::tree::testing::agrees_with_protobuf;
}
