//! Opening a data folder: what a crash left is put in order before the first delivery is taken.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Weak};

use manometer_model::Table;
use manometer_model::records::TABLES;
use parking_lot::{Mutex, RwLock};
use rusqlite::Connection;
use xxhash_rust::xxh3::xxh3_64;

use crate::batch::CompactBatch;
use crate::catalog::{Access, Doing, connect, entities, journal, segments, terms};
use crate::catalog_reader::CatalogReader;
use crate::cleanup::{files_below, sweep};
use crate::entity::Doc;
use crate::error::{OpenError, StoreError};
use crate::folders::Folders;
use crate::follow::Followers;
use crate::garbage::Garbage;
use crate::health::HealthState;
use crate::inner::{Counters, Inner};
use crate::lock::FolderLock;
use crate::maintenance::Bell;
use crate::memory::{Change, Memory, MemoryBatch};
use crate::options::StoreOptions;
use crate::queue::Queue;
use crate::retain::RetainState;
use crate::room::Room;
use crate::schema::table_index;
use crate::segment::Segment;
use crate::segments::SegmentSpace;

/// Opens a folder for writing. Threads are not started yet.
pub(crate) fn open(options: StoreOptions) -> Result<Inner, OpenError> {
    let folders = Folders::new(&options.data);
    let filesystem = Arc::clone(&options.filesystem);
    let make = |path: &Path| {
        filesystem
            .create_folders_durable(path)
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })
    };
    make(&folders.data)?;
    let lock = FolderLock::acquire(&folders, options.announce.as_deref())?;
    if folders.restoring().exists() {
        return Err(OpenError::UnfinishedRestore { data: folders.data });
    }
    make(&folders.segments())?;
    make(&folders.tmp())?;
    refuse_lost_catalog(&options, &folders)?;
    let is_new = !folders.meta().exists();
    let connection = connect(&folders.data, Access::Write)?;
    let sync = |path: &Path| {
        filesystem.sync_folder_durable(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })
    };
    sync(&folders.data)?;
    // The folder may have been made by an attempt that failed before its name was synced.
    if let (true, Some(parent)) = (is_new, folders.data.parent().filter(|parent| parent.is_dir())) {
        sync(parent)?;
    }

    let reader = Arc::new(CatalogReader::new(connect(&folders.data, Access::Read)?));
    let garbage = Arc::new(Garbage::default());
    let now = options.clock.now().as_micros();
    let mut memory = Memory::new();
    let listed = load_segments(&connection, &folders, Some(&garbage), &mut memory)?;
    for file in sweep(filesystem.as_ref(), &folders, &connection, &listed, now)? {
        garbage.add_unread(file);
    }
    load_journal(&connection, &folders, &reader, &mut memory)?;
    load_entities(&connection, &folders, &mut memory)?;
    let greatest_id = segments::greatest_id(&connection).doing("read the catalog")?;

    let noted = terms::all(&connection).doing("read the terms of segments")?;
    let retain = RetainState::new(noted, &options.retention);
    let space = Arc::new(SegmentSpace::new(folders, filesystem, Arc::clone(&garbage), greatest_id));
    let queue = Queue::new(options.limits.queue_requests, options.limits.queue_bytes);
    Ok(Inner {
        options,
        space,
        garbage,
        maintenance: Mutex::new(()),
        writer: Mutex::new(connection),
        memory: RwLock::new(memory),
        reader,
        health: HealthState::new(),
        queue,
        counters: Counters::default(),
        retain,
        bell: Bell::default(),
        room: Room::default(),
        followers: Followers::default(),
        latest: Mutex::new(Weak::new()),
        lock: Mutex::new(Some(Arc::new(lock))),
    })
}

/// Segments without a catalog are somebody's data, not a new folder: they must not be swept away.
fn refuse_lost_catalog(options: &StoreOptions, folders: &Folders) -> Result<(), OpenError> {
    if folders.meta().exists() || files_below(options.filesystem.as_ref(), &folders.segments())?.is_empty() {
        return Ok(());
    }
    Err(corrupt(folders, "meta.db is missing, but there are segments".to_owned()))
}

fn corrupt(folders: &Folders, what: String) -> OpenError {
    OpenError::Corrupt { data: folders.data.clone(), what }
}

fn known_table(folders: &Folders, name: &str) -> Result<(usize, &'static Table), OpenError> {
    let found = Table::named(name).and_then(|table| Some((table_index(table)?, table)));
    found.ok_or_else(|| OpenError::UnknownTable { data: folders.data.clone(), table: name.to_owned() })
}

/// Lists the segments, making sure that each file is there in its full length. Returns their files.
pub(crate) fn load_segments(
    connection: &Connection,
    folders: &Folders,
    garbage: Option<&Arc<Garbage>>,
    memory: &mut Memory,
) -> Result<HashSet<String>, OpenError> {
    let mut files = HashSet::new();
    let mut change = Change::default();
    for entry in segments::all(connection).doing("read the list of segments")? {
        let (index, table) = known_table(folders, &entry.table_name)?;
        let path = folders.file(&entry.file);
        match path.metadata() {
            Ok(metadata) if metadata.len() == entry.size_bytes => {}
            Ok(metadata) => {
                let what =
                    format!("{} has {} bytes instead of {}", entry.file, metadata.len(), entry.size_bytes);
                return Err(corrupt(folders, what));
            }
            Err(error) => {
                return Err(corrupt(folders, format!("segment {} cannot be read: {error}", entry.file)));
            }
        }
        files.insert(entry.file.clone());
        change.segments.push((index, Arc::new(Segment::new(entry, table, folders, garbage.map(Arc::clone)))));
    }
    memory.apply(change);
    Ok(files)
}

/// Verifies every payload of the journal; rows are decoded when somebody asks for them.
pub(crate) fn load_journal(
    connection: &Connection,
    folders: &Folders,
    reader: &Arc<CatalogReader>,
    memory: &mut Memory,
) -> Result<(), OpenError> {
    let mut change = Change::default();
    let read = journal::for_each::<Loading>(connection, |entry, payload| {
        let (index, table) = known_table(folders, &entry.table_name).map_err(Loading::Refused)?;
        if xxh3_64(payload) != entry.checksum {
            let what = format!("journal batch {} does not match its checksum", entry.seq);
            return Err(Loading::Refused(corrupt(folders, what)));
        }
        let unpacked = CompactBatch::unpacked_bytes(payload);
        let batch = MemoryBatch::found(&entry, table, unpacked, Arc::clone(reader));
        change.batches.push((index, Arc::new(batch)));
        Ok(())
    });
    read.map_err(|error| error.into_open_error("read the journal"))?;
    memory.apply(change);
    Ok(())
}

/// Reads every entity, making sure that its document can be decoded.
pub(crate) fn load_entities(
    connection: &Connection,
    folders: &Folders,
    memory: &mut Memory,
) -> Result<(), OpenError> {
    for (index, table) in TABLES.iter().enumerate().filter(|(_, table)| table.is_entity()) {
        let Some(place) = memory.tables.get_mut(index) else { continue };
        let read = entities::for_each::<Loading>(connection, table.name, |key, doc| {
            if let Err(why) = Doc::decode(doc) {
                let shown = key.replace('\u{1f}', ", ");
                return Err(Loading::Refused(corrupt(
                    folders,
                    format!("entity {}({shown}): {why}", table.name),
                )));
            }
            place.entities.put(key, Arc::from(doc));
            Ok(())
        });
        read.map_err(|error| error.into_open_error("read the entities"))?;
    }
    Ok(())
}

/// Why reading part of the catalog stopped.
enum Loading {
    Sqlite(rusqlite::Error),
    Refused(OpenError),
}

impl From<rusqlite::Error> for Loading {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Loading {
    fn into_open_error(self, doing: &'static str) -> OpenError {
        match self {
            Self::Sqlite(source) => OpenError::Store(StoreError::Sqlite { doing, source }),
            Self::Refused(error) => error,
        }
    }
}
