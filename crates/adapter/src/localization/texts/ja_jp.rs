//! Japanese.

use super::Texts;

pub(super) static TEXTS: Texts = Texts {
    disconnect_access: "お使いのネットワークからは参加できません。間違いだと思われる場合は、サーバーの運営チームにご連絡ください。",
    disconnect_banned: "このサーバーへの参加は禁止されています。{reason}",
    disconnect_banned_until: "このサーバーへの参加は {until} まで禁止されています。{reason}",
    disconnect_kicked: "サーバーの運営チームにより切断されました。{reason}",
    disconnect_maintenance: "このサーバーは現在メンテナンス中です。しばらくしてからもう一度お試しください。",
    disconnect_rate: "参加の回数が多すぎます。数秒待ってから、もう一度お試しください。",
    disconnect_timeout: "参加に時間がかかりすぎました。接続を確認して、もう一度お試しください。",
    disconnect_no_route: "{host} にサーバーはありません。アドレスに間違いがないかご確認ください。",
    disconnect_version: "このサーバーには Minecraft {version} では参加できません。{versions} で参加してください。",
    disconnect_name: "{name} という名前はこのサーバーでは使えません。別のアカウントで参加するか、サーバーの運営チームにお尋ねください。",
    disconnect_encryption: "安全な接続を確立できませんでした。もう一度お試しください。うまくいかない場合は Minecraft を再起動してください。",
    disconnect_authentication: "アカウントを確認できませんでした。ゲームとランチャーを再起動して、もう一度お試しください。",
    disconnect_authentication_unavailable: "現在、認証サーバーに接続できません。数分後にもう一度お試しください。",
    disconnect_cookie: "以前のログインは無効になりました。もう一度参加してください。",
    disconnect_no_target: "現在、参加できるサーバーが設定されていないか、空いていません。しばらくしてからもう一度お試しください。",
    disconnect_discovery: "サーバーを見つけられませんでした。少し待ってから、もう一度お試しください。",
    disconnect_action: "現在このサーバーに参加できません。間違いだと思われる場合は、サーバーの運営にお知らせください。",
    disconnect_action_failed: "サーバーの選択に失敗しました。しばらくしてからもう一度お試しください。",
    disconnect_placement_timeout: "サーバーを探すのに時間がかかりすぎました。少し待ってから、もう一度お試しください。",
    disconnect_unreachable: "移動先のサーバーに現在接続できません。少し待ってから、もう一度お試しください。",
    disconnect_full: "このサーバーは現在満員です。しばらくしてから、もう一度お試しください。",
    disconnect_resource_pack: "このサーバーではリソースパックが必要です。サーバーリストでサーバーリソースパックを有効にして、もう一度参加してください。",
    disconnect_shutdown: "サーバーを再起動しています。少し待ってから、もう一度参加してください。",
    disconnect_internal: "こちら側で問題が発生しました。もう一度お試しください。繰り返す場合は、サーバーの運営チームにお知らせください。",
};
