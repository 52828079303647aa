//! Brazilian Portuguese.

use super::Texts;

pub(super) static TEXTS: Texts = Texts {
    disconnect_access: "Não é possível entrar a partir da sua rede. Se você acha que isso é um engano, avise a equipe do servidor.",
    disconnect_banned: "Você foi banido deste servidor. {reason}",
    disconnect_banned_until: "Você foi banido deste servidor até {until}. {reason}",
    disconnect_kicked: "A equipe do servidor desconectou você. {reason}",
    disconnect_maintenance: "Este servidor está em manutenção. Tente novamente mais tarde.",
    disconnect_rate: "Você está entrando vezes demais. Espere alguns segundos e tente de novo.",
    disconnect_timeout: "A entrada demorou demais. Verifique sua conexão e tente de novo.",
    disconnect_no_route: "Não há nenhum servidor em {host}. Verifique se o endereço está certo.",
    disconnect_version: "Não é possível entrar neste servidor com o Minecraft {version}. Entre com {versions}.",
    disconnect_name: "O nome {name} não pode ser usado neste servidor. Entre com outra conta ou fale com a equipe do servidor.",
    disconnect_encryption: "Não foi possível proteger a conexão. Tente de novo; se não adiantar, reinicie o Minecraft.",
    disconnect_authentication: "Não foi possível confirmar sua conta. Reinicie o jogo e o launcher e tente de novo.",
    disconnect_authentication_unavailable: "Os servidores de autenticação estão fora de alcance no momento. Tente de novo em alguns minutos.",
    disconnect_cookie: "Seu login anterior não é mais válido. Entre de novo.",
    disconnect_no_target: "No momento, nenhum servidor está configurado ou disponível para receber você. Tente de novo mais tarde.",
    disconnect_discovery: "A busca por um servidor falhou. Tente de novo em instantes.",
    disconnect_action: "Você não pode entrar neste servidor agora. Se achar que é um engano, avise a equipe do servidor.",
    disconnect_action_failed: "Não foi possível escolher um servidor para você. Tente novamente em instantes.",
    disconnect_placement_timeout: "Encontrar um servidor para você demorou demais. Tente de novo em instantes.",
    disconnect_unreachable: "O servidor para onde você estava indo está fora de alcance no momento. Tente de novo em instantes.",
    disconnect_full: "Este servidor está cheio no momento. Tente de novo mais tarde.",
    disconnect_resource_pack: "Este servidor precisa do pacote de recursos dele. Permita pacotes de recursos do servidor na sua lista de servidores e entre de novo.",
    disconnect_shutdown: "O servidor está reiniciando. Entre de novo em instantes.",
    disconnect_internal: "Algo deu errado do nosso lado. Tente de novo; se continuar acontecendo, avise a equipe do servidor.",
};
