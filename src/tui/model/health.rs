//! The state of the Health screen.

use std::collections::VecDeque;

use super::{Cursor, Remote};
use crate::tui::domain::{Check, Metric, MonthCost, ResourceHistory};

/// Samples that are kept of a metric.
const MAX_SAMPLES: usize = 120;

/// What the machine of a local target has to spare, in per cent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MachineMetrics {
    /// Load average of a minute, of the processors.
    pub load: f64,
    /// Memory in use.
    pub memory: f64,
    /// Space in use on the disk of the data.
    pub disk: f64,
}

/// What is measured of a target: the newest values of this machine, or those that a service has kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measurements {
    pub machine: Option<MachineMetrics>,
    pub kept: Vec<Metric>,
}

#[derive(Debug, Clone, Default)]
pub struct Health {
    /// The checks, worst first.
    pub checks: Remote<Vec<Check>>,
    pub cursor: Cursor,
    pub metrics: Remote<Measurements>,
    pub samples: VecDeque<MachineMetrics>,
    pub changes: Remote<ResourceHistory>,
    pub cost: Remote<MonthCost>,
}

impl Health {
    pub fn selected(&self) -> Option<&Check> {
        self.checks.items().get(self.cursor.at)
    }

    /// Keeps the newest metrics.
    pub fn sample(&mut self) {
        self.samples.extend(self.metrics.value.as_ref().and_then(|metrics| metrics.machine));
        if self.samples.len() > MAX_SAMPLES {
            self.samples.pop_front();
        }
    }
}
