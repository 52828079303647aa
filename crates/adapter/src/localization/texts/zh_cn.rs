//! Chinese (simplified).

use super::Texts;

pub(super) static TEXTS: Texts = Texts {
    disconnect_access: "你所在的网络无法加入此服务器。如果你认为这是误判，请联系服务器管理团队。",
    disconnect_banned: "你已被此服务器封禁。{reason}",
    disconnect_banned_until: "你已被此服务器封禁至 {until}。{reason}",
    disconnect_kicked: "你已被服务器团队断开连接。{reason}",
    disconnect_maintenance: "此服务器正在维护中。请稍后再试。",
    disconnect_rate: "你加入得过于频繁。请稍等几秒后重试。",
    disconnect_timeout: "加入用时过长。请检查网络连接后重试。",
    disconnect_no_route: "{host} 没有对应的服务器。请检查地址是否输入有误。",
    disconnect_version: "此服务器不支持 Minecraft {version}。请使用 {versions} 加入。",
    disconnect_name: "名称 {name} 不能在此服务器上使用。请换一个账号加入，或联系服务器管理团队。",
    disconnect_encryption: "无法建立安全连接。请重试；如果仍然不行，请重启 Minecraft。",
    disconnect_authentication: "无法验证你的账号。请重启游戏和启动器后重试。",
    disconnect_authentication_unavailable: "目前无法连接验证服务器。请过几分钟再试。",
    disconnect_cookie: "你之前的登录已失效。请重新加入。",
    disconnect_no_target: "目前没有已配置或可用的服务器可以接纳你。请稍后再试。",
    disconnect_discovery: "查找服务器失败。请稍后重试。",
    disconnect_action: "你目前无法加入此服务器。如果你认为这是误判，请告知服务器团队。",
    disconnect_action_failed: "为你选择服务器失败。请稍后再试。",
    disconnect_placement_timeout: "为你查找服务器用时过长。请稍后重试。",
    disconnect_unreachable: "目前无法连接你要前往的服务器。请稍后重试。",
    disconnect_full: "服务器目前已满。请稍后重试。",
    disconnect_resource_pack: "此服务器需要使用其资源包。请在服务器列表中允许服务器资源包，然后重新加入。",
    disconnect_shutdown: "服务器正在重启。请稍后重新加入。",
    disconnect_internal: "我们这边出了点问题。请重试；如果问题依旧，请告知服务器管理团队。",
};
