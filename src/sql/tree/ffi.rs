//! The C entry points, declared after `pg_query.h` and `src/pg_query_internal.h` of `libpg_query` 18.1.0.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

// Only for its native library, which holds the functions below.
use pg_query as _;

use super::list::{List, RawList};

/// `PgQueryError`.
#[repr(C)]
pub(super) struct RawError {
    message: *mut c_char,
    funcname: *mut c_char,
    filename: *mut c_char,
    lineno: c_int,
    cursorpos: c_int,
    context: *mut c_char,
}

/// `PgQueryInternalParsetreeAndError`.
#[repr(C)]
struct RawParse {
    tree: *mut RawList,
    stderr_buffer: *mut c_char,
    error: *mut RawError,
}

/// `PgQueryParseResult`.
#[repr(C)]
pub(super) struct ParseResult {
    pub(super) parse_tree: *mut c_char,
    pub(super) stderr_buffer: *mut c_char,
    pub(super) error: *mut RawError,
}

unsafe extern "C" {
    fn pg_query_enter_memory_context() -> *mut c_void;
    fn pg_query_exit_memory_context(context: *mut c_void);
    fn pg_query_raw_parse(input: *const c_char, parser_options: c_int) -> RawParse;
    pub(super) fn pg_query_free_parse_result(result: ParseResult);
}

/// A C memory context of this thread, in which trees live; left when dropped. Not `Send`: it is the thread's.
pub(super) struct Session(*mut c_void);

/// What the C parser says.
pub(super) struct ParseError {
    /// Its message.
    pub(super) message: String,
    /// Index of the character that it points at.
    pub(super) character: Option<usize>,
}

impl Session {
    /// Enters a new context. The caller holds the thread's turn, so that contexts never overlap.
    pub(super) fn enter() -> Self {
        // SAFETY: initialises the library for this thread if need be; no other context of ours is open (see `Turn`).
        Self(unsafe { pg_query_enter_memory_context() })
    }

    /// Parses a text; the tree lives as long as the session. `options` is a `PgQueryParseMode`.
    #[allow(clippy::unused_self, reason = "the tree borrows the session")]
    pub(super) fn parse(&self, sql: &CStr, options: c_int) -> Result<List<'_>, ParseError> {
        // SAFETY: inside a context of this thread; the text ends in NUL. C errors do not unwind, they are caught in C.
        let RawParse {
            tree,
            stderr_buffer,
            error,
        } = unsafe { pg_query_raw_parse(sql.as_ptr(), options) };
        // SAFETY: null, or an error that stays allocated until it is freed below.
        let failure = unsafe { error.as_ref() }.map(|error| ParseError {
            // SAFETY: null or a C string that belongs to the error.
            message: unsafe { text(error.message) },
            character: usize::try_from(error.cursorpos)
                .ok()
                .and_then(|place| place.checked_sub(1)),
        });
        // SAFETY: both were allocated for the caller to free; the tree is no part of them.
        unsafe {
            pg_query_free_parse_result(ParseResult {
                parse_tree: ptr::null_mut(),
                stderr_buffer,
                error,
            });
        }
        match failure {
            Some(failure) => Err(failure),
            // SAFETY: null or a list in this session's context, which lives as long as `self`.
            None => Ok(unsafe { List::at(tree) }),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: entered in `enter`, left once, on the same thread (not `Send`), and no view outlives `self`.
        unsafe { pg_query_exit_memory_context(self.0) }
    }
}

/// # Safety
/// `text` must be null or a C string.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
