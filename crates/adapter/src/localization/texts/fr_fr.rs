//! French.

use super::Texts;

pub(super) static TEXTS: Texts = Texts {
    disconnect_access: "Tu ne peux pas rejoindre ce serveur depuis ton réseau. Si tu penses que c'est une erreur, préviens l'équipe du serveur.",
    disconnect_banned: "Tu es banni de ce serveur. {reason}",
    disconnect_banned_until: "Tu es banni de ce serveur jusqu'au {until}. {reason}",
    disconnect_kicked: "L'équipe du serveur t'a déconnecté. {reason}",
    disconnect_maintenance: "Ce serveur est en maintenance. Réessaie plus tard.",
    disconnect_rate: "Tu te connectes trop souvent. Attends quelques secondes, puis réessaie.",
    disconnect_timeout: "La connexion a pris trop de temps. Vérifie ta connexion Internet, puis réessaie.",
    disconnect_no_route: "Il n'y a pas de serveur à l'adresse {host}. Vérifie qu'elle est bien écrite.",
    disconnect_version: "Ce serveur n'est pas accessible avec Minecraft {version}. Connecte-toi avec {versions}.",
    disconnect_name: "Le nom {name} ne peut pas être utilisé sur ce serveur. Connecte-toi avec un autre compte ou demande à l'équipe du serveur.",
    disconnect_encryption: "La connexion n'a pas pu être sécurisée. Réessaie ; si cela ne suffit pas, redémarre Minecraft.",
    disconnect_authentication: "Ton compte n'a pas pu être vérifié. Redémarre le jeu et son lanceur, puis réessaie.",
    disconnect_authentication_unavailable: "Les serveurs d'authentification sont injoignables pour le moment. Réessaie dans quelques minutes.",
    disconnect_cookie: "Ta connexion précédente n'est plus valable. Rejoins à nouveau le serveur.",
    disconnect_no_target: "Aucun serveur n'est configuré ou disponible pour t'accueillir en ce moment. Réessaie plus tard.",
    disconnect_discovery: "La recherche d'un serveur a échoué. Réessaie dans un instant.",
    disconnect_action: "Tu ne peux pas rejoindre ce serveur pour le moment. Si tu penses que c'est une erreur, préviens l'équipe du serveur.",
    disconnect_action_failed: "Le choix d'un serveur a échoué. Réessaie dans un instant.",
    disconnect_placement_timeout: "Trouver un serveur pour toi a pris trop de temps. Réessaie dans un instant.",
    disconnect_unreachable: "Le serveur vers lequel tu allais est injoignable pour le moment. Réessaie dans un instant.",
    disconnect_full: "Ce serveur est complet pour le moment. Réessaie plus tard.",
    disconnect_resource_pack: "Ce serveur a besoin de son pack de ressources. Autorise les packs de ressources du serveur dans ta liste de serveurs, puis rejoins-le à nouveau.",
    disconnect_shutdown: "Le serveur redémarre. Rejoins-le à nouveau dans un instant.",
    disconnect_internal: "Quelque chose s'est mal passé de notre côté. Réessaie ; si cela continue, préviens l'équipe du serveur.",
};
