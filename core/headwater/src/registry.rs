//! The open directories of this process: the same path is the same engine.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use headwater_client::{Error, ErrorKind, Result};
use headwater_env::{PerProcess, RealEnv};
use parking_lot::{Condvar, Mutex};

use crate::engine::lost_at_once;
use crate::engine_config::EngineConfig;
use crate::handle::Handle;
use crate::in_process::InProcess;

/// The absolute path of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DirectoryPath(PathBuf);

impl DirectoryPath {
    /// The canonical path of `path`, which need not exist yet. Symbolic links in its existing part are followed.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        canonical(path).map(Self).map_err(|error| {
            Error::new(
                ErrorKind::Permission,
                format!(
                    "Cannot resolve the path {} ({error}): check the path and its permissions.",
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
    engines: Mutex<HashMap<DirectoryPath, Entry>>,
    /// Notified when an entry was removed or became open.
    changed: Condvar,
}

enum Entry {
    /// The engine is being opened.
    Opening,
    /// The engine is open, or is being closed if the pointer is dangling.
    Open {
        engine: Weak<InProcess<RealEnv>>,
        config: Box<EngineConfig>,
    },
}

/// A child of `fork()` starts with an empty registry.
static REGISTRY: PerProcess<Registry> = PerProcess::new(|| Registry {
    engines: Mutex::default(),
    changed: Condvar::new(),
});

/// Returns a handle on the engine that has `place` open, or opens it with `open`. Waits while it is being opened or
/// closed.
pub(crate) fn open_once(
    place: &DirectoryPath,
    config: &EngineConfig,
    open: impl FnOnce() -> Result<Arc<InProcess<RealEnv>>>,
) -> Result<Arc<Handle<RealEnv>>> {
    let mut engines = REGISTRY.engines.lock();
    loop {
        let found = match engines.get(place) {
            None => break,
            Some(Entry::Opening) => None,
            Some(Entry::Open {
                engine,
                config: before,
            }) => engine
                .upgrade()
                .filter(|engine| !engine.is_closed())
                .map(|engine| (engine, before.clone())),
        };
        if let Some((engine, before)) = found {
            // Not under the lock, because closing the engine takes it.
            drop(engines);
            if let Some(handle) = share(&engine) {
                return if config.goes_with(&before) {
                    Ok(handle)
                } else {
                    Err(other_config(place))
                };
            }
            drop(engine);
            engines = REGISTRY.engines.lock();
        } else {
            REGISTRY.changed.wait(&mut engines);
        }
    }
    engines.insert(place.clone(), Entry::Opening);
    drop(engines);
    let mut opening = Opening {
        place,
        opened: None,
    };
    let engine = open()?;
    let handle = Handle::attach(&engine).ok_or_else(lost_at_once)?;
    opening.opened = Some(Entry::Open {
        engine: Arc::downgrade(&engine),
        config: Box::new(config.clone()),
    });
    Ok(handle)
}

/// Adds a handle to an open engine; `None` if it has closed. Closes an engine whose directory is gone, because the path
/// leads elsewhere now.
fn share(engine: &Arc<InProcess<RealEnv>>) -> Option<Arc<Handle<RealEnv>>> {
    if engine.check_files().is_err() {
        engine.close();
    }
    Handle::attach(engine)
}

/// Replaces the entry of an engine that is being opened: by the open engine, or by nothing if opening failed or
/// panicked.
struct Opening<'a> {
    place: &'a DirectoryPath,
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

/// Removes the entry of an engine that has released its directory.
pub(crate) fn closed(place: &DirectoryPath) {
    REGISTRY.engines.lock().remove(place);
    REGISTRY.changed.notify_all();
}

fn other_config(place: &DirectoryPath) -> Error {
    Error::new(
        ErrorKind::Config,
        format!(
            "{} is open in this process with another configuration: close it first, or open it without configuration to share it.",
            place.path().display()
        ),
    )
}
