"""What people in the sample are called: Taiwan's and Hong Kong's names, and those that have broken other systems.

Only words live here. Who gets which name is `people.py`.
"""

from __future__ import annotations

from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TAIWAN_SURNAMES = (
    "陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余盧梁趙顏柯翁魏孫戴"
    "范方宋鄧杜傅侯曹薛丁卓阮馬董温唐藍蔣石古紀姚連馮歐程湯黄田康姜汪白鄒尤巫鐘涂龔"
)
COMPOUND_SURNAMES = ("歐陽", "張簡", "司馬", "諸葛", "范姜", "上官")
GIVEN_NAMES = _words(
    "雅婷 怡君 淑芬 美玲 佳穎 詩涵 宜蓁 欣怡 雅雯 筱涵 郁婷 惠如 靜宜 佩珊 思妤 心怡 家瑜 品妍 "
    "子晴 語彤 羽彤 芷瑄 沛恩 若曦 "
    "志明 俊傑 家豪 建宏 冠宇 宗翰 承恩 柏翰 彥廷 宥廷 俊宏 信宏 文雄 明哲 振宇 哲瑋 育誠 浩宇 "
    "品睿 宇恩 子軒 睿恩 秉諺 辰佑 "
    "秀英 麗華 淑惠 玉蘭 金龍 國華 永福 阿土 春嬌 罔市 添丁 月娥"
)
HONG_KONG = _words(
    "陳大文 黃嘉欣 李家樂 張詠詩 何穎琳 梁俊軒 吳凱晴 劉子朗 林思穎 鄭浩然 謝樂怡 蘇卓嵐 葉芷晴 "
    "郭梓峰 鄧紫棋 曾志偉 "
    "潘曉彤 馮允謙 袁詠琳 麥家輝"
)
ENGLISH_GIVEN = _words(
    "Amy Kevin Jason Vivian Tiffany Eric Peggy Jerry Winnie Stanley Mandy Kelvin Queenie Sunny Carmen Raymond "
    "Yoyo Apple "
    "Angus Fiona Grace Ivan Joyce Ken Lily Max Nina Oscar Phoebe Ray"
)
ENGLISH_SURNAMES = _words(
    "Chan Wong Cheung Ho Lee Lam Leung Ng Lau Cheng Chen Lin Huang Chang Wang Wu Liu Tsai Yang Hsu Smith García Müller "
    "Nguyễn Tanaka Kim Øster Dvořák"
)

HARD = (
    "O'Brien, Conan",
    "D'Angelo-McIntyre, Seán",
    "陳😀小美",
    "👩‍👩‍👧 林家",
    "游錫堃",
    "王𠮷男",
    "吳𡍼城",
    "林龘龘",
    "張堃峯",
    "李䶮",
    "夏曼・藍波安",
    "Sayion Kacaw‧Lalu",
    "巴蘇雅・博伊哲努",
    "[bold red]markup[/]",
    "<script>alert(1)</script>",
    "Robert'); DROP TABLE member;--",
    "100% {name} %s",
    "=HYPERLINK(1)",
    "null",
    "ＦＵＬＬ　ＷＩＤＴＨ",
    "نورة العتيبي",
    "Zoë Brontë-Çelik",
    "N.",
    "Wolfeschlegelsteinhausenbergerdorff Adolph Blaine Charles David Earl Frederick",
    "陳" + "美" * 60,
)
"""Real people are called like some of these, and the rest is what somebody types to see what happens."""


def draw_name(random: Random) -> str:
    """A name as the people of a Taiwanese chain have them: mostly Chinese, some with a Latin one, some Latin only."""
    kind = random.random()
    if kind < 0.82:
        return _chinese(random)
    if kind < 0.90:
        return f"{_chinese(random)} {random.choice(ENGLISH_GIVEN)}"
    return f"{random.choice(ENGLISH_GIVEN)} {random.choice(ENGLISH_SURNAMES)}"


def draw_hong_kong_name(random: Random) -> str:
    """A name of somebody with a Hong Kong phone."""
    if random.random() < 0.6:
        return random.choice(HONG_KONG)
    return f"{random.choice(ENGLISH_GIVEN)} {random.choice(ENGLISH_SURNAMES)}"


def _chinese(random: Random) -> str:
    surname = random.choice(COMPOUND_SURNAMES) if random.random() < 0.01 else random.choice(TAIWAN_SURNAMES)
    return surname + random.choice(GIVEN_NAMES)
