//! Links among the inputs: followed by netloom itself, so that what they lead to is known and can be judged.

use std::fs::File;

use rustix::io::Errno;

use super::{Folder, Kind, kind};

/// Links that one path may lead through, as on Linux.
const LINKS: usize = 40;

/// What stands under a name in a folder.
pub(crate) enum Found<F, T> {
    Folder(F),
    /// A link, and the path that it holds.
    Link(Vec<u8>),
    /// Anything else.
    Thing(T),
}

/// Where paths are followed: on the disk, or in what Git has stored.
pub(crate) trait Lookup {
    type Folder;
    type Thing;

    /// What stands under `name` in a folder: in the outermost one when there is none.
    fn look(&self, folder: Option<&Self::Folder>, name: &[u8]) -> rustix::io::Result<Found<Self::Folder, Self::Thing>>;
}

/// In a folder on the disk each name is opened before anybody looks what it is.
impl Lookup for Folder {
    type Folder = Folder;
    type Thing = File;

    fn look(&self, folder: Option<&Folder>, name: &[u8]) -> rustix::io::Result<Found<Folder, File>> {
        let folder = folder.unwrap_or(self);
        let opened = match folder.reader(name) {
            Err(Errno::LOOP) => return Ok(Found::Link(folder.link(name)?)),
            opened => opened?,
        };
        match kind(&opened)? {
            Kind::Folder => {
                let inner = folder.open(name).map_err(|failure| failure.error)?;
                Ok(Found::Folder(inner.ok_or(Errno::NOENT)?))
            }
            _ => Ok(Found::Thing(opened)),
        }
    }
}

/// What a path leads to behind its links.
pub(crate) struct Reached<F, T> {
    /// The parts of the path that it really has, from the outermost folder on.
    pub(crate) path: Vec<Vec<u8>>,
    /// Whether a link was on the way.
    pub(crate) linked: bool,
    /// A folder, or anything else; neither for the outermost folder itself.
    pub(crate) folder: Option<F>,
    pub(crate) thing: Option<T>,
}

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) error: Errno,
    /// What the last link on the way holds.
    pub(crate) link: Option<Vec<u8>>,
    /// What could not be looked at, by the path that it really has; none where no link was on the way.
    pub(crate) path: Option<Vec<u8>>,
}

impl From<Errno> for Lost {
    fn from(error: Errno) -> Self {
        Self { error, link: None, path: None }
    }
}

/// Follows a path and every link on its way, none of which may leave the outermost folder. An absolute link leaves, also when it
/// points back inside: it would break in every other checkout.
///
/// # Errors
/// As a file system has them: `XDEV` for a link that leaves, `LOOP` for links in a circle, `NOENT` for what is not there.
pub(crate) fn follow<L: Lookup>(lookup: &L, path: &[u8]) -> Result<Reached<L::Folder, L::Thing>, Lost> {
    let parts = |path: &[u8]| path.rsplit(|byte| *byte == b'/').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let mut rest = parts(path);
    let mut way: Vec<(Vec<u8>, L::Folder)> = Vec::new();
    let (mut links, mut last, mut thing) = (0, None, None);
    let lost = |error, link: &Option<Vec<u8>>| Lost { error, link: link.clone(), path: None };
    while let Some(part) = rest.pop() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                way.pop().ok_or_else(|| lost(Errno::XDEV, &last))?;
                continue;
            }
            _ => {}
        }
        match lookup.look(way.last().map(|(_, folder)| folder), &part).map_err(|error| {
            let names = way.iter().map(|(name, _)| name.as_slice()).chain([part.as_slice()]);
            let path = last.is_some().then(|| names.collect::<Vec<_>>().join(b"/".as_slice()));
            Lost { error, link: last.clone(), path }
        })? {
            Found::Folder(folder) => way.push((part, folder)),
            Found::Link(target) => {
                links += 1;
                rest.extend(parts(&target));
                let leaves = target.starts_with(b"/");
                last = Some(target);
                if links > LINKS {
                    return Err(lost(Errno::LOOP, &last));
                }
                if leaves {
                    return Err(lost(Errno::XDEV, &last));
                }
            }
            Found::Thing(_) if !rest.is_empty() => return Err(lost(Errno::NOTDIR, &last)),
            Found::Thing(found) => thing = Some((part, found)),
        }
    }
    let folder = way.pop();
    let mut path: Vec<_> = way.into_iter().map(|(name, _)| name).collect();
    let (name, folder) = folder.unzip();
    path.extend(name);
    let (name, thing) = thing.unzip();
    path.extend(name);
    Ok(Reached { path, linked: links > 0, folder: folder.filter(|_| thing.is_none()), thing })
}
