//! The way from one target to another, which is gone while the player is still where they were, or nowhere.

use super::destination::{Barred, Destination, Guest};
use super::search::{Reached, Respondent, Search, Unreached};
use drawbridge_limbo::World;
use drawbridge_model::{Refused, TargetAddress};
use drawbridge_net::{Dialer, InCrowd};
use drawbridge_protocol::packet::configuration::Transfer;
use drawbridge_protocol::text::Component;
use drawbridge_routing::LimboKind;
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Where a way has led.
#[derive(Debug)]
pub(super) struct Landing {
    /// The name of the route that it belongs to.
    pub(super) route: String,
    pub(super) place: Place,
    /// The player's place on the route there, where that is another than they came by.
    pub(super) on_route: Option<InCrowd>,
}

/// What is there.
#[derive(Debug)]
pub(super) enum Place {
    /// A target that waits for the player.
    Target(Box<Reached>),
    /// The route's limbo.
    Limbo,
}

/// Why the way led nowhere.
#[derive(Debug)]
pub(super) enum Astray {
    /// There is no such place.
    Unknown,
    /// It is where the player is: to come anew would only throw them off.
    AlreadyThere,
    /// The route doesn't take the player.
    Refused(Box<Refused>),
    /// None of the targets could be reached.
    Unreachable,
    /// The target turned the player away, with these words.
    Kicked(Box<Component>),
}

/// A walk, until it has led somewhere or nowhere.
pub(super) type Walk = Pin<Box<dyn Future<Output = Result<Landing, Astray>>>>;

/// Who goes.
#[derive(Debug, Clone)]
pub(super) struct Walker {
    pub(super) guest: Guest,
    pub(super) dialer: Dialer,
}

impl Walker {
    /// To the place of this name, unless that leads to the address that the player is at.
    pub(super) fn set_out(self, name: String, here: Option<TargetAddress>) -> Walk {
        Box::pin(async move {
            let destination = self.guest.asker().find(&name).await?;
            self.reach_another(destination, here).await
        })
    }

    /// To where a Transfer packet leads, unless that is the address that the player is at.
    pub(super) fn follow(self, transfer: Transfer, here: Option<TargetAddress>) -> Walk {
        Box::pin(async move {
            let destination = self.guest.asker().find_at(&transfer.host, transfer.port).await?;
            self.reach_another(destination, here).await
        })
    }

    /// To the first of these places that takes the player, at a target that isn't among the addresses that are `shunned` until some
    /// time.
    pub(super) fn seek(self, names: Vec<String>, shunned: Vec<(TargetAddress, Instant)>) -> Walk {
        Box::pin(async move {
            let mut last = Astray::Unknown;
            for name in names {
                match self.go(&name, &shunned).await {
                    Ok(landing) => return Ok(landing),
                    Err(astray) => last = astray,
                }
            }
            Err(last)
        })
    }

    /// In a while, to where the route that they came by has them go, but for what is `shunned` still.
    pub(super) fn wait(self, pause: Duration, shunned: Vec<(TargetAddress, Instant)>) -> Walk {
        Box::pin(async move {
            sleep(pause).await;
            // Boxed: while the player waits, looking takes nothing.
            Box::pin(self.go_home(&shunned)).await
        })
    }

    async fn go_home(&self, shunned: &[(TargetAddress, Instant)]) -> Result<Landing, Astray> {
        let destination = self.guest.asker().home().await?;
        self.reach(destination.without(shunned)).await
    }

    async fn go(&self, name: &str, shunned: &[(TargetAddress, Instant)]) -> Result<Landing, Astray> {
        let destination = self.guest.asker().find(name).await?;
        self.reach(destination.without(shunned)).await
    }

    async fn reach_another(
        &self,
        destination: Destination,
        here: Option<TargetAddress>,
    ) -> Result<Landing, Astray> {
        let first = destination.targets.first().map(|target| &target.address);
        if first.is_some() && first == here.as_ref() {
            Err(Astray::AlreadyThere)
        } else {
            self.reach(destination).await
        }
    }

    async fn reach(&self, destination: Destination) -> Result<Landing, Astray> {
        let Self { guest: Guest { shared, person, client, .. }, dialer } = self;
        let Destination { route, targets, on_route } = destination;
        if route.session.limbo == LimboKind::Always {
            let known = World::of(client.version).is_some();
            return known
                .then(|| Landing { route: route.name.clone(), place: Place::Limbo, on_route })
                .ok_or(Astray::Unreachable);
        }
        let reserved = shared.snapshot.load().reserved_cookies();
        let search = Search { route: &route, client, person, reserved: &reserved, dialer };
        match search.reach(targets, Respondent::Nobody).await {
            Ok(reached) => {
                Ok(Landing { route: route.name.clone(), place: Place::Target(Box::new(reached)), on_route })
            }
            Err(Unreached::Kicked(words)) => Err(Astray::Kicked(words)),
            // Nobody's end is waited for here.
            Err(Unreached::Unreachable | Unreached::Ended(_)) => Err(Astray::Unreachable),
        }
    }
}

impl From<Barred> for Astray {
    fn from(barred: Barred) -> Self {
        match barred {
            Barred::Unknown => Self::Unknown,
            Barred::Refused(refused) => Self::Refused(refused),
        }
    }
}
