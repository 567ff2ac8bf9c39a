//! Contenders in processes of their own, taking turns.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::ValueEnum;
use gc_benches::child;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::options::Options;
use crate::{
    barrier, collections, containers, memory, owners, parallel, pauses, references, shared, trees,
    values,
};

/// One thing that is measured in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Contender {
    TreesBox,
    TreesMimalloc,
    TreesBumpalo,
    TreesBumpaloRewound,
    TreesOurs,
    TreesPeer,
    TreesPeerInSteps,
    TreeOurs,
    TreePeer,
    GraphOurs,
    GraphPeer,
    PairsOurs,
    PairsPeer,
    NodesOurs,
    NodesPeer,
    TreeOneMarker,
    TreeTwoMarkers,
    GraphOneMarker,
    GraphTwoMarkers,
    ListOneMarker,
    ListTwoMarkers,
    ListsOneMarker,
    ListsTwoMarkers,
    SharedOneThread,
    SharedTwoThreads,
    SharedOneThreadAtOnce,
    SharedTwoThreadsAtOnce,
    Barrier,
    VecOurs,
    VecStd,
    MapOurs,
    MapStd,
    TargetsOnly,
    TargetsAndWeak,
    ListOfObjects,
    ChainOfEphemerons,
    FinalizersInSteps,
    FinalizersBeside,
    OwnersStringsOurs,
    OwnersStringsPeer,
    OwnersCoroutinesOurs,
    OwnersCoroutinesPeer,
    OwnersTablesOurs,
    OwnersTablesPeer,
    OwnersClosuresOurs,
    OwnersClosuresPeer,
    OwnersLiveOurs,
    OwnersLivePeer,
    OwnersTreesOurs,
    OwnersTreesPeer,
    OwnersFinalizersOurs,
    OwnersFinalizersPeer,
    ValuesEnumBeside,
    ValuesPackedBeside,
    ValuesEnumInSteps,
    ValuesPackedInSteps,
    ValuesEnumStopped,
    ValuesPackedStopped,
    PausesControl,
    PausesControlBusy,
    PausesIncremental,
    PausesConcurrent,
    PausesCells,
}

/// What a contender measured: figures by name. Which names, its group knows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Figures(pub BTreeMap<String, f64>);

impl Figures {
    /// Figures of one name and value.
    pub fn of(name: &str, value: f64) -> Figures {
        Figures::default().and(name, Some(value))
    }

    /// The figures with one more, if there is one.
    pub fn and(mut self, name: &str, value: Option<f64>) -> Figures {
        self.0.extend(value.map(|value| (name.to_owned(), value)));
        self
    }
}

/// The medians of what the contenders measured.
pub struct Medians(BTreeMap<(Contender, String), f64>);

impl Medians {
    /// A figure, if the contender gave it.
    pub fn get(&self, contender: Contender, name: &str) -> Option<f64> {
        self.0.get(&(contender, name.to_owned())).copied()
    }

    /// A figure that the contender must have given.
    pub fn expect(&self, contender: Contender, name: &str) -> Result<f64> {
        self.get(contender, name)
            .with_context(|| format!("{contender:?} gave no figure {name}"))
    }
}

/// Runs one contender in this process and prints its figures.
pub fn as_child(contender: &Contender, options: &Options) -> Result<()> {
    use Contender::*;
    let figures = match contender {
        TreesBox | TreesMimalloc | TreesBumpalo | TreesBumpaloRewound | TreesOurs | TreesPeer
        | TreesPeerInSteps => trees::run(*contender, options.depth),
        TreeOurs | TreePeer | GraphOurs | GraphPeer => {
            collections::run(*contender, options.objects)
        }
        PairsOurs | PairsPeer | NodesOurs | NodesPeer => memory::run(*contender, options.objects)?,
        TreeOneMarker | TreeTwoMarkers | GraphOneMarker | GraphTwoMarkers | ListOneMarker
        | ListTwoMarkers | ListsOneMarker | ListsTwoMarkers => {
            parallel::run(*contender, options.objects)
        }
        SharedOneThread | SharedTwoThreads | SharedOneThreadAtOnce | SharedTwoThreadsAtOnce => {
            shared::run(*contender, options.depth)
        }
        Barrier => barrier::run(options.objects)?,
        VecOurs | VecStd | MapOurs | MapStd => containers::run(*contender, options.objects)?,
        TargetsOnly | TargetsAndWeak | ListOfObjects | ChainOfEphemerons | FinalizersInSteps
        | FinalizersBeside => references::run(*contender, options.objects)?,
        OwnersStringsOurs | OwnersStringsPeer | OwnersCoroutinesOurs | OwnersCoroutinesPeer
        | OwnersTablesOurs | OwnersTablesPeer | OwnersClosuresOurs | OwnersClosuresPeer
        | OwnersLiveOurs | OwnersLivePeer | OwnersTreesOurs | OwnersTreesPeer
        | OwnersFinalizersOurs | OwnersFinalizersPeer => owners::run(*contender, options)?,
        ValuesEnumBeside | ValuesPackedBeside | ValuesEnumInSteps | ValuesPackedInSteps
        | ValuesEnumStopped | ValuesPackedStopped => values::run(*contender, options.objects)?,
        PausesControl | PausesControlBusy | PausesIncremental | PausesConcurrent | PausesCells => {
            pauses::run(*contender, options)?
        }
    };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

impl Contender {
    /// Whether it runs for orientation only, so that once is enough: such a contender may take
    /// longer than all others together.
    fn is_for_orientation(self) -> bool {
        self == Contender::TreesPeerInSteps
    }
}

/// Lets `contenders` take turns for as many rounds as asked for.
pub fn hold(contenders: &[Contender], options: &Options, name: &str) -> Result<Medians> {
    let style = ProgressStyle::with_template("{prefix:>12} [{bar:30}] {pos}/{len}  {msg}")?;
    let turns: Vec<Contender> = (0..options.rounds)
        .flat_map(|round| contenders.iter().map(move |&contender| (round, contender)))
        .filter(|(round, contender)| *round == 0 || !contender.is_for_orientation())
        .map(|(_, contender)| contender)
        .collect();
    let bar = ProgressBar::new(turns.len() as u64)
        .with_style(style.progress_chars("=> "))
        .with_prefix(name.to_owned());

    let mut figures: BTreeMap<(Contender, String), Vec<f64>> = BTreeMap::new();
    for contender in turns {
        let value = contender
            .to_possible_value()
            .context("a contender has no name")?;
        bar.set_message(value.get_name().to_owned());
        let mut arguments = vec![
            format!("--child={}", value.get_name()),
            format!("--depth={}", options.depth),
            format!("--objects={}", options.objects),
            format!("--scale={}", options.scale),
        ];
        arguments.extend(options.live.map(|live| format!("--live={live}")));
        let mode = options.mode.and_then(|mode| mode.to_possible_value());
        arguments.extend(mode.map(|mode| format!("--mode={}", mode.get_name())));
        child::run(&arguments, |line| {
            let measured: Figures = serde_json::from_str(line)
                .with_context(|| format!("{contender:?} printed no figures"))?;
            for (name, value) in measured.0 {
                figures.entry((contender, name)).or_default().push(value);
            }
            Ok(())
        })
        .with_context(|| format!("contender {}", value.get_name()))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Medians(
        figures
            .into_iter()
            .map(|(key, values)| (key, median(values)))
            .collect(),
    ))
}

/// The median of at least one value.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        (values[middle - 1] + values[middle]) / 2.0
    } else {
        values[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(median(vec![3.0]), 3.0);
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), 3.0);
    }
}
