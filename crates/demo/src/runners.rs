//! The runners themselves, as their CI systems list them.

use manometer_model::records::Runner;
use manometer_model::{Record, Timestamp};

use crate::plan::World;
use crate::planted::POOL_SHORTAGE;
use crate::pools::POOLS;

/// Every runner of a provider the organisation uses, as seen at that time.
///
/// While its pool is short, the missing runners are offline: that is why it is short.
pub(crate) fn runner_records(world: &World, at: Timestamp) -> Vec<Record> {
    let mut records = Vec::new();
    let uses = |provider| world.services.iter().any(|service| service.project.provider == provider);
    for pool in
        POOLS.into_iter().filter(|pool| uses(pool.provider) && !world.planted.is_silent(pool.provider, at))
    {
        let is_short = pool.name == POOL_SHORTAGE.pool && world.planted.pool_load_factor(pool.name, at) > 1.0;
        let present = if is_short {
            (pool.runners as f64 / POOL_SHORTAGE.load_factor).round() as usize
        } else {
            pool.runners
        };
        for runner in 0..pool.runners {
            let name = pool.runner_name(runner);
            let state = if runner < present { "available" } else { "offline" };
            records.push(Record::from(Runner {
                provider: pool.provider.to_owned(),
                project: None,
                runner_id: name.clone(),
                name: Some(name),
                pool: Some(pool.name.to_owned()),
                os: Some(pool.os.to_owned()),
                arch: Some(pool.arch.to_owned()),
                runner_labels: Some(pool.name.to_owned()),
                state: Some(state.to_owned()),
                seen_at: Some(at),
                updated_at: Some(at),
            }));
        }
    }
    records
}
