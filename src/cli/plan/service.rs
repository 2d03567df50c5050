//! From what is typed to a service that takes many, and to its workers.

use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::cli::arguments::{
    CommonArguments, ExpectArguments, LimitArguments, LookingArguments, ReceivingArguments, ServeArguments,
    WorkerArguments, WorkersArguments,
};
use crate::service::{AuthKey, Key, Limits, Workers};
use crate::transfer::{Endpoint, Options, SinkSpec};
use crate::wire::ChecksumKind;

use super::ends::{endpoint, expected, sink};
use super::options::{checked, common, receiving};
use super::{own_program, usage};

/// Where to serve, and what.
#[derive(Debug)]
pub(crate) struct ServePlan {
    pub at: Endpoint,
    pub service: ServicePlan,
    pub socket_buffer_bytes: Option<usize>,
    pub json: bool,
}

/// What a service does with what comes.
#[derive(Debug)]
pub(crate) enum ServicePlan {
    /// Receives it.
    Arrays(Box<crate::service::Plan>),
    /// Sends it back.
    Echo { limits: Limits, options: Box<Options> },
    /// Hands it to programs that connect there.
    Recipe {
        at: PathBuf,
        key: Option<AuthKey>,
        options: Box<Options>,
    },
}

/// The plan of `arraylift serve`.
pub(crate) fn serve(typed: &ServeArguments) -> Result<ServePlan, Failure> {
    let options = checked(common(&typed.common, ChecksumKind::default()))?;
    Ok(ServePlan {
        at: endpoint(&typed.endpoint)?,
        socket_buffer_bytes: options.socket_buffer_bytes,
        service: match &typed.recipe_workers {
            Some(path) => ServicePlan::Recipe {
                at: path.clone(),
                key: typed.workers.key.as_deref().map(AuthKey::load).transpose()?,
                options: Box::new(options),
            },
            None if typed.echo => ServicePlan::Echo {
                limits: typed.limits.limits(),
                options: Box::new(options),
            },
            None => ServicePlan::Arrays(Box::new(crate::service::Plan {
                workers: workers(typed)?,
                ..service(
                    &typed.into,
                    &typed.limits,
                    &typed.expect,
                    &typed.receiving,
                    &typed.looking,
                    &typed.common,
                )?
            })),
        },
        json: typed.common.json,
    })
}

/// What `arraylift worker --recipe` does with what it is handed.
pub(crate) fn recipe_worker(typed: &WorkerArguments) -> Result<crate::service::Plan, Failure> {
    service(
        &typed.into,
        &typed.limits,
        &typed.expect,
        &typed.receiving,
        &typed.looking,
        &typed.common,
    )
}

fn service(
    into: &Path,
    limits: &LimitArguments,
    expect: &ExpectArguments,
    receives: &ReceivingArguments,
    looking: &LookingArguments,
    common: &CommonArguments,
) -> Result<crate::service::Plan, Failure> {
    let sink = sink(into, None)?;
    if !matches!(sink, SinkSpec::Folder(_) | SinkSpec::Memory | SinkSpec::Discard) {
        return Err(usage(
            "a service takes many arrays: name a folder that exists, memory or discard with --into",
        ));
    }
    Ok(crate::service::Plan {
        expect: expected(expect, common.wire)?,
        options: Options {
            stats: looking.choice(),
            ..receiving(receives, common, &sink)?
        },
        limits: limits.limits(),
        workers: None,
        sink,
    })
}

fn workers(typed: &ServeArguments) -> Result<Option<Workers>, Failure> {
    let WorkersArguments {
        workers,
        workers_at,
        key,
    } = &typed.workers;
    let join_at = match (workers_at, key) {
        (Some(path), Some(key)) => Some((path.clone(), Key::load_or_make(key)?)),
        (None, Some(_)) => {
            return Err(usage(
                "--key is for those who join: add --workers-at or --recipe-workers",
            ));
        }
        _ => None,
    };
    if *workers == 0 && join_at.is_none() {
        return Ok(None);
    }
    if typed.limits.max_total.is_some() {
        return Err(usage(
            "workers do not know of each other what they have taken: leave --max-total or the workers out",
        ));
    }
    Ok(Some(Workers {
        count: (*workers).into(),
        program: own_program()?,
        join_at,
    }))
}
