//! Which conversations are wanted, and what they are called in Chinese.

use crate::failure::Failure;
use crate::timeline::Conversation;

/// Of each conversation, by its number: what it is about, and its title in Chinese.
const ROWS: [(&str, &str); 17] = [
    ("rsa", "RSA 密钥传输，完整握手：客户端用服务器的公钥加密一个秘密"),
    ("ecdhe", "ECDHE，完整握手：临时生成的秘密，日后没有任何私钥能解开"),
    ("client-certificate", "客户端也出示证书"),
    ("session-id", "用会话 ID 恢复：状态由服务器保存"),
    ("ticket", "用会话票证恢复：状态加密后由客户端保存"),
    ("middle", "中间人：同名证书，但由另一个 CA 签发"),
    ("altered", "记录在途中被改动"),
    ("tls13", "TLS 1.3，混合密钥交换：量子计算机也解不开"),
    ("ticket13", "TLS 1.3，用票证恢复，并重新做一次密钥交换"),
    ("retry", "TLS 1.3，服务器要求换一个密钥份额"),
    ("rsa", "RSA 密钥传输，完整握手：TCP 之后还要两个往返"),
    ("session-id", "用会话 ID 恢复：TCP 之后一个往返"),
    ("ecdhe", "ECDHE，完整握手"),
    ("ticket", "用会话票证恢复"),
    ("tls13", "TLS 1.3，完整握手：TCP 之后一个往返"),
    ("0rtt", "TLS 1.3，恢复会话并带早期数据：TCP 之后不再等待"),
    ("retry", "TLS 1.3，服务器要求换一个密钥份额"),
];

/// What conversations come to, piece by piece.
const OUTCOMES: [(&str, &str); 6] = [
    ("both directions authenticated, data exchanged, orderly closed", "双向均经验证，数据已交换，正常关闭"),
    ("; resumed by ", "；会话恢复，依据 "),
    ("; the client proved who it is", "；客户端证明了自己的身份"),
    ("refused: ", "被拒绝："),
    ("TCP at ", "TCP 连通："),
    (", application data leaves at ", "；应用数据发出："),
];

/// Gives the conversations their titles and outcomes in Chinese. The first has this number.
pub(super) fn translate(conversations: &mut [Conversation], first: usize) {
    for ((number, conversation), (_, title)) in (first..).zip(conversations).zip(ROWS.iter().skip(first - 1)) {
        let outcome = conversation.trace.outcome.clone();
        let outcome = OUTCOMES.iter().fold(outcome, |text, (english, chinese)| text.replace(english, chinese));
        conversation.trace.chinese = Some((format!("{number}. {title}"), outcome));
    }
}

/// Whether a conversation of this number is wanted: by its number, or by what it is about.
pub(super) fn is_wanted(which: &[String], number: usize) -> bool {
    let topic = ROWS.get(number.wrapping_sub(1)).map_or("", |(topic, _)| topic);
    which.is_empty() || which.iter().any(|which| which == topic || which.parse() == Ok(number))
}

/// Whether there is one of this name.
pub(super) fn check(which: &[String]) -> Result<(), Failure> {
    let is_known = |which: &&String| (1..=ROWS.len()).any(|number| is_wanted(std::slice::from_ref(which), number));
    match which.iter().find(|which| !is_known(which)) {
        None => Ok(()),
        Some(which) => Err(Failure::cannot(format_args!("the demonstration has no {which}"))
            .hint("clasp demo --list says what it has: numbers from 1 to 17, or what they are about")),
    }
}

/// A line of the menu.
pub(super) fn line(number: usize, title: &str) -> String {
    let topic = ROWS.get(number.wrapping_sub(1)).map_or("", |(topic, _)| topic);
    format!("{topic:<18}  {title}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_are_found_by_number_and_by_what_they_are_about() {
        let wanted = |which: &[&str]| -> Vec<usize> {
            let which: Vec<String> = which.iter().map(ToString::to_string).collect();
            (1..=17).filter(|number| is_wanted(&which, *number)).collect()
        };
        assert_eq!((wanted(&["rsa"]), wanted(&["4"]), wanted(&["0rtt", "7"])), (vec![1, 11], vec![4], vec![7, 16]));
        assert_eq!(wanted(&[]).len(), 17);
        for none in ["0", "18", "x", ""] {
            assert!(check(&[none.to_owned()]).is_err(), "{none}");
        }
    }
}
