//! Which directories this process has open: the same path twice is the same engine.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Weak};

use headwater_client::{Error, ErrorKind, Result};
use headwater_env::RealEnv;
use parking_lot::{Condvar, Mutex};

use crate::engine::Host as _;
use crate::engine_config::EngineConfig;
use crate::in_process::InProcess;

/// A directory under its one absolute name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place(PathBuf);

impl Place {
    /// The place of `path`, which need not exist yet: links in the part that does are followed.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        canonical(path).map(Self).map_err(|error| {
            Error::new(
                ErrorKind::Permission,
                format!(
                    "Cannot find out where {} is ({error}): check the path and its permissions.",
                    path.display()
                ),
            )
            .caused_by(error)
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

fn canonical(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    match absolute.canonicalize() {
        Ok(canonical) => Ok(canonical),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match (absolute.parent(), absolute.file_name()) {
                (Some(parent), Some(name)) => Ok(canonical(parent)?.join(name)),
                _ => Ok(absolute),
            }
        }
        Err(error) => Err(error),
    }
}

struct Registry {
    engines: Mutex<HashMap<Place, Entry>>,
    /// An entry was removed or became open.
    changed: Condvar,
}

enum Entry {
    /// Somebody is opening it.
    Opening,
    /// It is open, or, if the pointer leads nowhere, being closed.
    Open {
        host: Weak<InProcess<RealEnv>>,
        config: Box<EngineConfig>,
    },
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry {
    engines: Mutex::default(),
    changed: Condvar::new(),
});

/// The engine that has `place` open; otherwise the one that `open` makes. Waits for one that is being opened or closed.
pub(crate) fn open_once(
    place: &Place,
    config: &EngineConfig,
    open: impl FnOnce() -> Result<Arc<InProcess<RealEnv>>>,
) -> Result<Arc<InProcess<RealEnv>>> {
    let mut engines = REGISTRY.engines.lock();
    loop {
        let found = match engines.get(place) {
            None => break,
            Some(Entry::Opening) => None,
            Some(Entry::Open {
                host,
                config: before,
            }) => host
                .upgrade()
                .filter(|host| !host.is_closed())
                .map(|host| (host, before.clone())),
        };
        if let Some((host, before)) = found {
            // Not under the lock: if this is the last reference by now, dropping it takes the lock.
            drop(engines);
            return if config.goes_with(&before) {
                Ok(host)
            } else {
                Err(other_config(place))
            };
        }
        REGISTRY.changed.wait(&mut engines);
    }
    engines.insert(place.clone(), Entry::Opening);
    drop(engines);
    let mut opening = Opening {
        place,
        opened: None,
    };
    let host = open()?;
    opening.opened = Some(Entry::Open {
        host: Arc::downgrade(&host),
        config: Box::new(config.clone()),
    });
    Ok(host)
}

/// Replaces the entry of an engine that is being opened: by the open one, or by nothing if opening failed or panicked.
struct Opening<'a> {
    place: &'a Place,
    opened: Option<Entry>,
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        let mut engines = REGISTRY.engines.lock();
        match self.opened.take() {
            Some(entry) => engines.insert(self.place.clone(), entry),
            None => engines.remove(self.place),
        };
        REGISTRY.changed.notify_all();
    }
}

/// The engine at `place` has given its directory up.
pub(crate) fn closed(place: &Place) {
    REGISTRY.engines.lock().remove(place);
    REGISTRY.changed.notify_all();
}

fn other_config(place: &Place) -> Error {
    Error::new(
        ErrorKind::Config,
        format!(
            "{} is open in this process with another configuration: close it first, or open it without configuration to share it.",
            place.path().display()
        ),
    )
}
