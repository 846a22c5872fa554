//! A tree of names in memory, used by [`MemoryEnv`](crate::MemoryEnv) and [`SimEnv`](crate::SimEnv).
//!
//! A call first computes a list of [`Change`]s and then applies it, so that the simulated disk can apply some of the
//! changes to its durable tree. Directories have ids, so a change means the same in both trees.
//!
//! Paths start at the root, with or without a leading `/`; `..` is refused.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Component, Path};

use crate::{DirEntry, EntryKind};

/// The id of a directory, never reused.
pub(crate) type DirId = u64;

const ROOT: DirId = 0;
/// The longest name, as on common file systems.
const NAME_BYTES_MAX: usize = 255;

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Location {
    pub(crate) dir: DirId,
    pub(crate) name: String,
}

/// A file or a directory; `F` identifies a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node<F> {
    Dir(DirId),
    File(F),
}

/// An atomic change of the tree. A crash keeps all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change<F> {
    Link {
        at: Location,
        node: Node<F>,
    },
    Unlink {
        at: Location,
        node: Node<F>,
    },
    Move {
        from: Location,
        to: Location,
        node: Node<F>,
    },
}

impl<F> Change<F> {
    /// Whether the change affects a name in this directory.
    pub(crate) fn touches(&self, dir: DirId) -> bool {
        match self {
            Change::Link { at, .. } | Change::Unlink { at, .. } => at.dir == dir,
            Change::Move { from, to, .. } => from.dir == dir || to.dir == dir,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Tree<F> {
    dirs: HashMap<DirId, BTreeMap<String, Node<F>>>,
    next_dir: DirId,
}

impl<F: Clone + PartialEq> Tree<F> {
    pub(crate) fn new() -> Tree<F> {
        Tree {
            dirs: HashMap::from([(ROOT, BTreeMap::new())]),
            next_dir: ROOT + 1,
        }
    }

    /// The node at a path; `NotFound` if there is none.
    pub(crate) fn find(&self, path: &Path) -> io::Result<Node<F>> {
        match self.location(path)? {
            None => Ok(Node::Dir(ROOT)),
            Some(location) => self
                .at(&location)
                .cloned()
                .ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }

    pub(crate) fn find_dir(&self, path: &Path) -> io::Result<DirId> {
        match self.find(path)? {
            Node::Dir(dir) => Ok(dir),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// The location of a path other than the root. Its directory exists; its name may not exist.
    pub(crate) fn find_location(&self, path: &Path) -> io::Result<Location> {
        self.location(path)?
            .ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    pub(crate) fn at(&self, location: &Location) -> Option<&Node<F>> {
        self.dirs.get(&location.dir)?.get(&location.name)
    }

    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let dir = self.find_dir(path)?;
        let entry = |(name, node): (&String, &Node<F>)| DirEntry {
            name: name.clone(),
            kind: match node {
                Node::Dir(_) => EntryKind::Dir,
                Node::File(_) => EntryKind::File,
            },
        };
        Ok(self.dirs[&dir].iter().map(entry).collect())
    }

    /// Every file under the root with its path, sorted.
    pub(crate) fn files(&self) -> BTreeMap<String, F> {
        let mut found = BTreeMap::new();
        let mut open = vec![(String::new(), ROOT)];
        while let Some((prefix, dir)) = open.pop() {
            for (name, node) in &self.dirs[&dir] {
                let path = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}/{name}")
                };
                match node {
                    Node::Dir(dir) => open.push((path, *dir)),
                    Node::File(file) => drop(found.insert(path, file.clone())),
                }
            }
        }
        found
    }

    /// Creates the missing directories of `path`.
    pub(crate) fn plan_create_dirs(&mut self, path: &Path) -> io::Result<Vec<Change<F>>> {
        let mut changes = Vec::new();
        let mut dir = Some(ROOT);
        let mut parent = ROOT;
        for name in names(path)? {
            let location = Location {
                dir: parent,
                name: name.to_owned(),
            };
            dir = match dir.and_then(|_| self.at(&location)) {
                Some(Node::Dir(found)) => Some(*found),
                Some(Node::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
                None => None,
            };
            parent = dir.unwrap_or_else(|| {
                let made = self.next_dir;
                self.next_dir += 1;
                changes.push(Change::Link {
                    at: location,
                    node: Node::Dir(made),
                });
                made
            });
        }
        Ok(changes)
    }

    pub(crate) fn plan_rename(&self, from: &Path, to: &Path) -> io::Result<Change<F>> {
        let (source, target) = (self.find_location(from)?, self.find_location(to)?);
        let node = self.at(&source).cloned().ok_or(io::ErrorKind::NotFound)?;
        match (&node, self.at(&target)) {
            (Node::Dir(_), _) if names(to)?.starts_with(&names(from)?) && source != target => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            (Node::File(_), Some(Node::Dir(_))) => return Err(io::ErrorKind::IsADirectory.into()),
            (Node::Dir(_), Some(Node::File(_))) => return Err(io::ErrorKind::NotADirectory.into()),
            (Node::Dir(_), Some(Node::Dir(there)))
                if !self.dirs[there].is_empty() && source != target =>
            {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            _ => {}
        }
        Ok(Change::Move {
            from: source,
            to: target,
            node,
        })
    }

    pub(crate) fn plan_remove_file(&self, path: &Path) -> io::Result<Change<F>> {
        let at = self.find_location(path)?;
        match self.at(&at).ok_or(io::ErrorKind::NotFound)? {
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
            file @ Node::File(_) => Ok(Change::Unlink {
                node: file.clone(),
                at,
            }),
        }
    }

    /// Removes the contents first, like the system call.
    pub(crate) fn plan_remove_all(&self, path: &Path) -> io::Result<Vec<Change<F>>> {
        let at = self.find_location(path)?;
        let dir = self.find_dir(path)?;
        let mut changes = vec![Change::Unlink {
            at,
            node: Node::Dir(dir),
        }];
        let mut open = vec![dir];
        while let Some(dir) = open.pop() {
            for (name, node) in &self.dirs[&dir] {
                changes.push(Change::Unlink {
                    at: Location {
                        dir,
                        name: name.clone(),
                    },
                    node: node.clone(),
                });
                if let Node::Dir(inner) = node {
                    open.push(*inner);
                }
            }
        }
        changes.reverse();
        Ok(changes)
    }

    /// Applies a change, unless the node that it removes is not there. A directory without a name accepts names; they
    /// are reachable once it has one. Returns the file that lost its name, if any.
    pub(crate) fn apply(&mut self, change: &Change<F>) -> Option<F> {
        match change {
            Change::Link { at, node } => self.link(at, node),
            Change::Unlink { at, node } if self.at(at) == Some(node) => self.unlink(at),
            Change::Move { from, to, node } if from != to && self.at(from) == Some(node) => {
                self.dirs.get_mut(&from.dir)?.remove(&from.name);
                self.link(to, node)
            }
            Change::Unlink { .. } | Change::Move { .. } => None,
        }
    }

    fn link(&mut self, at: &Location, node: &Node<F>) -> Option<F> {
        if let Node::Dir(dir) = node {
            self.dirs.entry(*dir).or_default();
            self.next_dir = self.next_dir.max(dir + 1);
        }
        match self
            .dirs
            .entry(at.dir)
            .or_default()
            .insert(at.name.clone(), node.clone())?
        {
            Node::File(replaced) if Node::File(replaced.clone()) != *node => Some(replaced),
            _ => None,
        }
    }

    fn unlink(&mut self, at: &Location) -> Option<F> {
        match self.dirs.get_mut(&at.dir)?.remove(&at.name)? {
            Node::File(file) => Some(file),
            Node::Dir(_) => None,
        }
    }

    /// `None` is the root.
    fn location(&self, path: &Path) -> io::Result<Option<Location>> {
        let names = names(path)?;
        let Some((name, above)) = names.split_last() else {
            return Ok(None);
        };
        let mut dir = ROOT;
        for &name in above {
            match self.dirs[&dir].get(name).ok_or(io::ErrorKind::NotFound)? {
                Node::Dir(inner) => dir = *inner,
                Node::File(_) => return Err(io::ErrorKind::NotADirectory.into()),
            }
        }
        Ok(Some(Location {
            dir,
            name: (*name).to_owned(),
        }))
    }
}

/// The components of a path from the root.
fn names(path: &Path) -> io::Result<Vec<&str>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => {
                let name = name.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
                if name.len() > NAME_BYTES_MAX {
                    return Err(io::ErrorKind::InvalidFilename.into());
                }
                names.push(name);
            }
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
        }
    }
    Ok(names)
}

/// The normal form of a path.
pub(crate) fn normal_form(path: &Path) -> io::Result<String> {
    Ok(names(path)?.join("/"))
}
