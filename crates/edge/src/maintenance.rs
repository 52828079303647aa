//! Which routes an operator has put under maintenance or out of it, over what the configuration says.
//!
//! What must stay true: it holds over reloads, for whatever route has the name, and ends with the process; asking costs a ping a look at
//! one variable as long as nobody has switched anything.

use arc_swap::ArcSwap;
use drawbridge_model::MaintenanceOrder;
use drawbridge_routing::Route;
use std::collections::HashMap;

/// The switches, by the names of routes.
#[derive(Debug, Default)]
pub(crate) struct Switches(ArcSwap<HashMap<String, bool>>);

impl Switches {
    /// Whether the route is under maintenance.
    pub(crate) fn is_maintained(&self, route: &Route) -> bool {
        self.of(&route.name).unwrap_or(route.maintenance.configured)
    }

    /// What an operator has said of the route; `None`: nothing.
    pub(crate) fn of(&self, route: &str) -> Option<bool> {
        let switches = self.0.load();
        if switches.is_empty() { None } else { switches.get(route).copied() }
    }

    /// From now on the route is so.
    pub(crate) fn switch(&self, route: &str, to: MaintenanceOrder) {
        self.0.rcu(|switches| {
            let mut switches = HashMap::clone(switches);
            match to {
                MaintenanceOrder::On => drop(switches.insert(route.to_owned(), true)),
                MaintenanceOrder::Off => drop(switches.insert(route.to_owned(), false)),
                MaintenanceOrder::Configured => drop(switches.remove(route)),
            }
            switches
        });
    }
}
