//! Spanish.

use super::Texts;

pub(super) static TEXTS: Texts = Texts {
    disconnect_access: "No puedes entrar desde tu red. Si crees que es un error, avisa al equipo del servidor.",
    disconnect_banned: "Tienes prohibido entrar en este servidor. {reason}",
    disconnect_banned_until: "Tienes prohibido entrar en este servidor hasta {until}. {reason}",
    disconnect_kicked: "El equipo del servidor te ha desconectado. {reason}",
    disconnect_maintenance: "Este servidor está en mantenimiento. Inténtalo de nuevo más tarde.",
    disconnect_rate: "Estás entrando demasiado a menudo. Espera unos segundos y vuelve a intentarlo.",
    disconnect_timeout: "La entrada ha tardado demasiado. Comprueba tu conexión y vuelve a intentarlo.",
    disconnect_no_route: "No hay ningún servidor en {host}. Comprueba que la dirección esté bien escrita.",
    disconnect_version: "No se puede entrar en este servidor con Minecraft {version}. Entra con {versions}.",
    disconnect_name: "El nombre {name} no se puede usar en este servidor. Entra con otra cuenta o pregunta al equipo del servidor.",
    disconnect_encryption: "No se ha podido proteger la conexión. Vuelve a intentarlo; si no funciona, reinicia Minecraft.",
    disconnect_authentication: "No se ha podido verificar tu cuenta. Reinicia el juego y el launcher y vuelve a intentarlo.",
    disconnect_authentication_unavailable: "Ahora mismo no se puede contactar con los servidores de autenticación. Vuelve a intentarlo dentro de unos minutos.",
    disconnect_cookie: "Tu inicio de sesión anterior ya no es válido. Vuelve a entrar.",
    disconnect_no_target: "Ahora mismo no hay ningún servidor configurado o disponible para recibirte. Vuelve a intentarlo más tarde.",
    disconnect_discovery: "La búsqueda de un servidor ha fallado. Vuelve a intentarlo dentro de un momento.",
    disconnect_action: "Ahora mismo no puedes entrar en este servidor. Si crees que es un error, avisa al equipo del servidor.",
    disconnect_action_failed: "No se ha podido elegir un servidor para ti. Inténtalo de nuevo en un momento.",
    disconnect_placement_timeout: "La búsqueda de un servidor para ti ha tardado demasiado. Vuelve a intentarlo dentro de un momento.",
    disconnect_unreachable: "Ahora mismo no se puede contactar con el servidor al que ibas. Vuelve a intentarlo dentro de un momento.",
    disconnect_full: "Este servidor está lleno ahora mismo. Vuelve a intentarlo más tarde.",
    disconnect_resource_pack: "Este servidor necesita su paquete de recursos. Permite los paquetes de recursos del servidor en tu lista de servidores y vuelve a entrar.",
    disconnect_shutdown: "El servidor se está reiniciando. Vuelve a entrar dentro de un momento.",
    disconnect_internal: "Algo ha fallado por nuestra parte. Vuelve a intentarlo; si sigue ocurriendo, avisa al equipo del servidor.",
};
