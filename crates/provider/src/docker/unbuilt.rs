//! What stands for Docker in a build without it.

use crate::unbuilt::source;

drawbridge_config::unbuilt!("docker", DockerSection, "ask Docker", "routes may stand in files");
source!(Docker, DockerSection);
