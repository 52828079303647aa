//! German.

use super::Texts;

pub(super) static TEXTS: Texts = Texts {
    disconnect_access: "Aus deinem Netz kannst du hier nicht beitreten. Wenn das ein Irrtum ist, wende dich bitte an das Team des Servers.",
    disconnect_banned: "Du bist auf diesem Server gesperrt. {reason}",
    disconnect_banned_until: "Du bist auf diesem Server bis {until} gesperrt. {reason}",
    disconnect_kicked: "Das Team des Servers hat deine Verbindung getrennt. {reason}",
    disconnect_maintenance: "An diesem Server wird gerade gearbeitet. Bitte versuche es später noch einmal.",
    disconnect_rate: "Du trittst zu oft bei. Bitte warte ein paar Sekunden und versuche es noch einmal.",
    disconnect_timeout: "Der Beitritt hat zu lange gedauert. Bitte prüfe deine Verbindung und versuche es noch einmal.",
    disconnect_no_route: "Unter {host} gibt es keinen Server. Bitte prüfe die Adresse auf Tippfehler.",
    disconnect_version: "Mit Minecraft {version} kannst du diesem Server nicht beitreten. Bitte verwende {versions}.",
    disconnect_name: "Der Name {name} ist auf diesem Server nicht möglich. Bitte nimm ein anderes Konto oder frage das Team des Servers.",
    disconnect_encryption: "Die Verbindung konnte nicht gesichert werden. Bitte versuche es noch einmal; wenn das nicht hilft, starte Minecraft neu.",
    disconnect_authentication: "Dein Konto konnte nicht bestätigt werden. Bitte starte das Spiel und den Launcher neu und versuche es noch einmal.",
    disconnect_authentication_unavailable: "Die Anmeldeserver sind gerade nicht erreichbar. Bitte versuche es in ein paar Minuten noch einmal.",
    disconnect_cookie: "Deine frühere Anmeldung gilt nicht mehr. Bitte tritt noch einmal bei.",
    disconnect_no_target: "Gerade ist kein Server eingerichtet oder frei, der dich aufnehmen kann. Bitte versuche es später noch einmal.",
    disconnect_discovery: "Die Suche nach einem Server ist fehlgeschlagen. Bitte versuche es gleich noch einmal.",
    disconnect_action: "Du kannst diesem Server gerade nicht beitreten. Wenn du das für einen Irrtum hältst, sag bitte dem Team des Servers Bescheid.",
    disconnect_action_failed: "Die Auswahl eines Servers ist fehlgeschlagen. Bitte versuche es gleich noch einmal.",
    disconnect_placement_timeout: "Die Suche nach einem Server für dich hat zu lange gedauert. Bitte versuche es gleich noch einmal.",
    disconnect_unreachable: "Der Server, zu dem du unterwegs warst, ist gerade nicht erreichbar. Bitte versuche es gleich noch einmal.",
    disconnect_full: "Dieser Server ist gerade voll. Bitte versuche es später noch einmal.",
    disconnect_resource_pack: "Dieser Server braucht sein Ressourcenpaket. Bitte erlaube Server-Ressourcenpakete in deiner Serverliste und tritt noch einmal bei.",
    disconnect_shutdown: "Der Server startet gerade neu. Bitte tritt gleich noch einmal bei.",
    disconnect_internal: "Bei uns ist etwas schiefgegangen. Bitte versuche es noch einmal; wenn es wieder passiert, sag dem Team des Servers Bescheid.",
};
