//! A tree of names in memory, under [`MemoryEnv`](crate::MemoryEnv) and [`SimEnv`](crate::SimEnv).
//!
//! What a call does to the tree is worked out first, as a list of [`Change`]s, and applied second, so that the simulated disk can keep a
//! second, older tree and apply to it what it chooses. Directories have numbers, hence a change means the same to both.
//!
//! Paths are taken from the root, whether they start with `/` or not; `..` is refused.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Component, Path};

use crate::{DirEntry, EntryKind};

/// Number of a directory, never used twice.
pub(crate) type DirId = u64;

const ROOT: DirId = 0;
/// The longest name, as on the file systems that people use.
const NAME_BYTES_MAX: usize = 255;

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) dir: DirId,
    pub(crate) name: String,
}

/// What a name stands for; `F` is how the owner of the tree knows a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node<F> {
    Dir(DirId),
    File(F),
}

/// The least that can happen to a tree. A crash keeps a change or loses it, never a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change<F> {
    Link {
        at: Place,
        node: Node<F>,
    },
    Unlink {
        at: Place,
        node: Node<F>,
    },
    Move {
        from: Place,
        to: Place,
        node: Node<F>,
    },
}

impl<F> Change<F> {
    /// Whether the change is one of this directory's names.
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

    /// What a path stands for; `NotFound` if nothing.
    pub(crate) fn find(&self, path: &Path) -> io::Result<Node<F>> {
        match self.place(path)? {
            None => Ok(Node::Dir(ROOT)),
            Some(place) => self
                .at(&place)
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

    /// The place of a path that is not the root; its directory exists, the name need not.
    pub(crate) fn find_place(&self, path: &Path) -> io::Result<Place> {
        self.place(path)?
            .ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    pub(crate) fn at(&self, place: &Place) -> Option<&Node<F>> {
        self.dirs.get(&place.dir)?.get(&place.name)
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

    /// Makes the directories of `path` that are missing.
    pub(crate) fn plan_create_dirs(&mut self, path: &Path) -> io::Result<Vec<Change<F>>> {
        let mut changes = Vec::new();
        let mut dir = Some(ROOT);
        let mut parent = ROOT;
        for name in names(path)? {
            let place = Place {
                dir: parent,
                name: name.to_owned(),
            };
            dir = match dir.and_then(|_| self.at(&place)) {
                Some(Node::Dir(found)) => Some(*found),
                Some(Node::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
                None => None,
            };
            parent = dir.unwrap_or_else(|| {
                let made = self.next_dir;
                self.next_dir += 1;
                changes.push(Change::Link {
                    at: place,
                    node: Node::Dir(made),
                });
                made
            });
        }
        Ok(changes)
    }

    pub(crate) fn plan_rename(&self, from: &Path, to: &Path) -> io::Result<Change<F>> {
        let (source, target) = (self.find_place(from)?, self.find_place(to)?);
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
        let at = self.find_place(path)?;
        match self.at(&at).ok_or(io::ErrorKind::NotFound)? {
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
            file @ Node::File(_) => Ok(Change::Unlink {
                node: file.clone(),
                at,
            }),
        }
    }

    /// Removes what is inside first, as the system's call must.
    pub(crate) fn plan_remove_all(&self, path: &Path) -> io::Result<Vec<Change<F>>> {
        let at = self.find_place(path)?;
        let dir = self.find_dir(path)?;
        let mut changes = vec![Change::Unlink {
            at,
            node: Node::Dir(dir),
        }];
        let mut open = vec![dir];
        while let Some(dir) = open.pop() {
            for (name, node) in &self.dirs[&dir] {
                changes.push(Change::Unlink {
                    at: Place {
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

    /// Applies a change if what it takes away stands where it was. A directory whose own name is not there yet takes names all the same;
    /// they are found once it is. Gives the file that lost its name, if one did.
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

    fn link(&mut self, at: &Place, node: &Node<F>) -> Option<F> {
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

    fn unlink(&mut self, at: &Place) -> Option<F> {
        match self.dirs.get_mut(&at.dir)?.remove(&at.name)? {
            Node::File(file) => Some(file),
            Node::Dir(_) => None,
        }
    }

    /// `None` is the root.
    fn place(&self, path: &Path) -> io::Result<Option<Place>> {
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
        Ok(Some(Place {
            dir,
            name: (*name).to_owned(),
        }))
    }
}

/// The names of a path from the root down.
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

/// One spelling for all spellings of a path.
pub(crate) fn normal_form(path: &Path) -> io::Result<String> {
    Ok(names(path)?.join("/"))
}
