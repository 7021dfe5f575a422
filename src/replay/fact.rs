//! What rules want to know of a whole history, gathered once.
//!
//! A rule about one statement that walks through the history takes time in proportion to its square. Such a rule
//! gathers what it looks for as a [`Fact`] and asks that.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Replay;

/// Something about a whole history that is asked at many of its statements.
pub trait Fact: Send + Sync + 'static {
    /// Looks through the history.
    fn gather(replay: &Replay<'_>) -> Self;
}

/// The facts of one history that somebody has asked for.
#[derive(Default)]
pub(super) struct Facts(Mutex<BTreeMap<TypeId, Arc<Slot>>>);

type Slot = OnceLock<Arc<dyn Any + Send + Sync>>;

impl Facts {
    /// Gathers it with the first question; others that ask meanwhile wait.
    pub(super) fn get<T: Fact>(&self, replay: &Replay<'_>) -> Arc<T> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(TypeId::of::<T>()).or_default())
        };
        // Not under the lock: a fact may be made of others.
        let fact = slot.get_or_init(|| Arc::new(T::gather(replay)));
        Arc::clone(fact)
            .downcast()
            .expect("a slot holds what its type gathers")
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts")
    }
}
