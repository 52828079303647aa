//! What stands for a provider that a build doesn't carry: its section can't be written, so that it is never run.

/// A provider of a section that nothing can be.
#[allow(unused_macros, reason = "a build with everything lacks nothing")]
macro_rules! source {
    ($source:ident, $section:ident) => {
        impl PartialEq for $section {
            fn eq(&self, _: &Self) -> bool {
                match *self {}
            }
        }

        /// Nobody is asked.
        #[derive(Debug)]
        pub(crate) enum $source {}

        impl $source {
            pub(crate) fn start(
                section: &$section,
                _: &tokio::runtime::Handle,
                _: &tokio_util::task::TaskTracker,
            ) -> Self {
                match *section {}
            }
        }

        impl drawbridge_model::RouteSource for $source {
            fn name(&self) -> &'static str {
                match *self {}
            }

            fn offers(&self) -> tokio::sync::watch::Receiver<drawbridge_model::Offer> {
                match *self {}
            }
        }
    };
}

#[allow(unused_imports, reason = "a build with everything lacks nothing")]
pub(crate) use source;
