"""What the sample's shelves hold: aisles of articles, and the brands, kinds and sizes that they come in. Words only."""

from __future__ import annotations

from dataclasses import dataclass

Names = tuple[str, str, str]
"""zh-TW, zh-HK, en."""

BRANDS: tuple[Names, ...] = (
    ("初日", "初日", "Hatsuhi"),
    ("山丘", "山丘", "Hillside"),
    ("白鷺", "白鷺", "Egret"),
    ("小時光", "小時光", "Little Hours"),
    ("森之日", "森之日", "Forest Day"),
    ("海風", "海風", "Sea Breeze"),
    ("青禾", "青禾", "Greenfield"),
    ("日和", "日和", "Biyori"),
    ("木木", "木木", "Moku"),
    ("雲朵", "雲朵", "Cloudlet"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aisle:
    """One category: its articles with a usual price in TWD, kinds, sizes, and how long one lasts."""

    id: str
    shelf: str
    items: tuple[tuple[Names, int], ...]
    kinds: tuple[Names, ...]
    sizes: tuple[tuple[str, float], ...]
    life_days: int = 0
    is_for_skin: bool = False
    fixed: tuple[tuple[Names, int, tuple[str, ...]], ...] = ()
    """Products that offers and stories name: names, price, further categories."""


SKIN: tuple[Names, ...] = (
    ("敏感肌", "敏感肌", "Sensitive"),
    ("無香", "無香", "Fragrance-free"),
    ("保濕", "保濕", "Moisture"),
    ("亮白", "亮白", "Bright"),
    ("玫瑰", "玫瑰", "Rose"),
    ("茶樹", "茶樹", "Tea tree"),
    ("蜂蜜", "蜂蜜", "Honey"),
)
TASTES: tuple[Names, ...] = (
    ("原味", "原味", "Original"),
    ("草莓", "士多啤梨", "Strawberry"),
    ("抹茶", "抹茶", "Matcha"),
    ("起司", "芝士", "Cheese"),
    ("海苔", "紫菜", "Seaweed"),
    ("辣味", "香辣", "Spicy"),
    ("巧克力", "朱古力", "Chocolate"),
)
DRINKS: tuple[Names, ...] = (
    ("無糖", "無糖", "Unsweetened"),
    ("微糖", "少甜", "Low-sugar"),
    ("柚子", "柚子", "Yuzu"),
    ("鳳梨", "菠蘿", "Pineapple"),
    ("燕麥", "燕麥", "Oat"),
)
COLOURS: tuple[Names, ...] = (
    ("白色", "白色", "White"),
    ("黑色", "黑色", "Black"),
    ("米色", "米色", "Beige"),
    ("霧藍", "霧藍", "Mist blue"),
    ("苔綠", "苔綠", "Moss green"),
    ("磚紅", "磚紅", "Brick red"),
)
BOTTLES = (("150ml", 0.8), ("300ml", 1.0), ("500ml", 1.4))
BAGS = (("60g", 0.7), ("120g", 1.0), ("240g", 1.7))
CUPS = (("中杯", 1.0), ("大杯", 1.2), ("特大杯", 1.4))
PACKS = (("1入", 1.0), ("3入", 2.7), ("10入", 8.0))
SIZE_WORDS: dict[str, tuple[str, str]] = {
    "中杯": ("中杯", "medium"),
    "大杯": ("大杯", "large"),
    "特大杯": ("特大杯", "extra large"),
    "1入": ("1件", "1 pc"),
    "3入": ("3件", "3 pcs"),
    "10入": ("10件", "10 pcs"),
}
"""Sizes that Hong Kong and English say in other words than Taiwan."""
SIZES = (("S", 1.0), ("M", 1.0), ("L", 1.0), ("XL", 1.0))

AISLES: tuple[Aisle, ...] = (
    Aisle(
        id="skin-care", shelf="A", kinds=SKIN, sizes=(("30ml", 0.7), ("50ml", 1.0), ("100ml", 1.6)),
        life_days=90, is_for_skin=True,
        items=(
            (("面霜", "面霜", "face cream"), 480), (("化妝水", "爽膚水", "toner"), 350),
            (("精華液", "精華素", "serum"), 690), (("眼霜", "眼霜", "eye cream"), 580),
            (("乳液", "乳液", "lotion"), 420),
        ),
        fixed=(
            (("初日 敏感肌修護面霜 50ml", "初日 敏感肌修護面霜 50ml", "Hatsuhi sensitive repair cream 50ml"),
             480, ("sensitive",)),
            (("初日 玻尿酸化妝水 200ml", "初日 透明質酸爽膚水 200ml", "Hatsuhi hyaluronic toner 200ml"), 320, ()),
            (("初日 旅行體驗組", "初日 旅行試用裝", "Hatsuhi travel sample set"), 150, ()),
        ),
    ),
    Aisle(
        id="masks", shelf="A", kinds=SKIN, sizes=PACKS, life_days=30, is_for_skin=True,
        items=(
            (("面膜", "面膜", "sheet mask"), 45), (("凍膜", "啫喱面膜", "gel mask"), 60),
            (("泥膜", "泥面膜", "clay mask"), 75),
        ),
        fixed=((("初日 保濕面膜 5入", "初日 保濕面膜 5片", "Hatsuhi moisture mask, 5 sheets"), 199, ()),),
    ),
    Aisle(
        id="cleansing", shelf="A", kinds=SKIN, sizes=BOTTLES, life_days=60, is_for_skin=True,
        items=(
            (("洗面乳", "潔面乳", "face wash"), 220), (("卸妝油", "卸妝油", "cleansing oil"), 380),
            (("卸妝水", "卸妝水", "micellar water"), 290),
        ),
    ),
    Aisle(
        id="sun-care", shelf="A", kinds=SKIN, sizes=(("30ml", 0.8), ("60ml", 1.0), ("90ml", 1.3)),
        life_days=75, is_for_skin=True,
        items=((("防曬乳", "防曬乳液", "sunscreen"), 390), (("防曬噴霧", "防曬噴霧", "sun spray"), 350)),
    ),
    Aisle(
        id="make-up", shelf="B", kinds=COLOURS, sizes=(("3g", 1.0), ("8g", 1.5)), life_days=180,
        items=(
            (("眼影", "眼影", "eye shadow"), 320), (("粉餅", "粉餅", "powder"), 450),
            (("眉筆", "眉筆", "brow pencil"), 260), (("指甲油", "指甲油", "nail polish"), 150),
        ),
    ),
    Aisle(
        id="hair-care", shelf="B", kinds=SKIN, sizes=BOTTLES, life_days=60,
        items=(
            (("洗髮精", "洗髮露", "shampoo"), 280), (("潤髮乳", "護髮素", "conditioner"), 280),
            (("護髮油", "護髮油", "hair oil"), 420),
        ),
    ),
    Aisle(
        id="body-care", shelf="B", kinds=SKIN, sizes=BOTTLES, life_days=45, is_for_skin=True,
        items=(
            (("沐浴乳", "沐浴露", "body wash"), 199), (("身體乳", "潤膚露", "body milk"), 260),
            (("護手霜", "護手霜", "hand cream"), 150),
        ),
        fixed=((("山丘 手工皂", "山丘 手工皂", "Hillside handmade soap"), 89, ()),),
    ),
    Aisle(
        id="oral-care", shelf="B", kinds=TASTES[:3] + DRINKS[:2], sizes=PACKS, life_days=60,
        items=(
            (("牙膏", "牙膏", "toothpaste"), 89), (("牙刷", "牙刷", "toothbrush"), 69),
            (("漱口水", "漱口水", "mouthwash"), 159),
        ),
    ),
    Aisle(
        id="cafe", shelf="C", kinds=DRINKS, sizes=CUPS,
        items=(
            (("拿鐵", "鮮奶咖啡", "latte"), 120), (("美式咖啡", "美式咖啡", "americano"), 90),
            (("紅茶", "紅茶", "black tea"), 60), (("冰沙", "沙冰", "frappé"), 140),
        ),
        fixed=(
            (("經典拿鐵 大杯", "經典鮮奶咖啡 大杯", "Classic latte, large"), 120, ()),
            (("經典美式 大杯", "經典美式 大杯", "Classic americano, large"), 90, ()),
        ),
    ),
    Aisle(
        id="japan-snacks", shelf="D", kinds=TASTES, sizes=BAGS, life_days=14,
        items=(
            (("仙貝", "米餅", "rice crackers"), 65), (("洋芋片", "薯片", "crisps"), 59),
            (("夾心餅乾", "夾心餅", "sandwich biscuits"), 79), (("軟糖", "軟糖", "gummies"), 49),
        ),
        fixed=(
            (("日和 北海道洋芋片 鹽味", "日和 北海道薯片 鹽味", "Biyori Hokkaido crisps, salted"), 65, ()),
            (("日和 抹茶夾心餅 12入", "日和 抹茶夾心餅 12件", "Biyori matcha sandwich biscuits, 12"), 99, ()),
        ),
    ),
    Aisle(
        id="snacks", shelf="D", kinds=TASTES, sizes=BAGS, life_days=14,
        items=(
            (("鳳梨酥", "鳳梨酥", "pineapple cakes"), 120), (("堅果", "果仁", "nuts"), 149),
            (("肉乾", "肉乾", "dried meat"), 139), (("牛軋糖", "鳥結糖", "nougat"), 110),
        ),
    ),
    Aisle(
        id="drinks", shelf="D", kinds=DRINKS, sizes=BOTTLES, life_days=2,
        items=(
            (("綠茶", "綠茶", "green tea"), 30), (("氣泡水", "有氣礦泉水", "sparkling water"), 29),
            (("豆漿", "豆漿", "soy milk"), 35), (("果汁", "果汁", "juice"), 45),
        ),
    ),
    Aisle(
        id="noodles", shelf="E", kinds=TASTES, sizes=PACKS, life_days=10,
        items=(
            (("泡麵", "即食麵", "instant noodles"), 35), (("拌麵", "撈麵", "dry noodles"), 45),
            (("米粉", "米粉", "rice noodles"), 39),
        ),
    ),
    Aisle(
        id="breakfast", shelf="E", kinds=TASTES, sizes=BAGS, life_days=21,
        items=(
            (("麥片", "穀麥", "cereal"), 129), (("果醬", "果醬", "jam"), 119), (("蜂蜜", "蜂蜜", "honey"), 199),
        ),
    ),
    Aisle(
        id="baby", shelf="F", kinds=SKIN, sizes=PACKS, life_days=20, is_for_skin=True,
        items=(
            (("濕紙巾", "濕紙巾", "wipes"), 49), (("嬰兒乳液", "嬰兒潤膚露", "baby lotion"), 220),
            (("尿布", "尿片", "nappies"), 299),
        ),
    ),
    Aisle(
        id="paper", shelf="F", kinds=COLOURS, sizes=PACKS, life_days=25,
        items=(
            (("衛生紙", "廁紙", "toilet paper"), 99), (("面紙", "紙巾", "tissues"), 59),
            (("廚房紙巾", "廚房紙", "kitchen towels"), 79),
        ),
    ),
    Aisle(
        id="laundry", shelf="F", kinds=SKIN, sizes=BOTTLES, life_days=40,
        items=(
            (("洗衣精", "洗衣液", "detergent"), 159), (("柔軟精", "柔順劑", "softener"), 139),
            (("洗碗精", "洗潔精", "washing-up liquid"), 79),
        ),
    ),
    Aisle(
        id="kitchen", shelf="G", kinds=COLOURS, sizes=SIZES,
        items=(
            (("馬克杯", "水杯", "mug"), 199), (("便當盒", "飯盒", "lunch box"), 350),
            (("餐盤", "碟", "plate"), 150), (("保鮮盒", "食物盒", "storage box"), 120),
        ),
        fixed=((("山丘 隨行杯 350ml", "山丘 隨行杯 350ml", "Hillside tumbler 350ml"), 390, ()),),
    ),
    Aisle(
        id="bedroom", shelf="G", kinds=COLOURS, sizes=SIZES,
        items=(
            (("枕頭套", "枕袋", "pillow case"), 290), (("毛毯", "毛氈", "blanket"), 890),
            (("睡衣", "睡衣", "pyjamas"), 690),
        ),
    ),
    Aisle(
        id="clothes", shelf="H", kinds=COLOURS, sizes=SIZES,
        items=(
            (("T恤", "T恤", "T-shirt"), 390), (("襪子", "襪", "socks"), 79), (("帽子", "帽", "cap"), 450),
            (("圍巾", "頸巾", "scarf"), 590),
        ),
    ),
    Aisle(
        id="stationery", shelf="H", kinds=COLOURS, sizes=PACKS,
        items=(
            (("筆記本", "筆記簿", "notebook"), 69), (("原子筆", "原子筆", "ballpoint"), 25),
            (("資料夾", "文件夾", "folder"), 39), (("便利貼", "便條紙", "sticky notes"), 45),
        ),
    ),
    Aisle(
        id="toys", shelf="H", kinds=COLOURS, sizes=SIZES,
        items=(
            (("積木", "積木", "building blocks"), 450), (("拼圖", "砌圖", "puzzle"), 320),
            (("布偶", "毛公仔", "soft toy"), 390),
        ),
    ),
    Aisle(
        id="health", shelf="J", kinds=TASTES, sizes=PACKS, life_days=30,
        items=(
            (("維他命C", "維他命C", "vitamin C"), 299), (("益生菌", "益生菌", "probiotics"), 399),
            (("魚油", "魚油", "fish oil"), 450),
        ),
    ),
    Aisle(
        id="gift-cards", shelf="J", kinds=COLOURS, sizes=(("200", 1.0), ("500", 2.5), ("1000", 5.0)),
        items=((("禮物卡", "禮品卡", "gift card"), 200), (("禮盒", "禮盒", "gift box"), 280)),
        fixed=((("禮物卡 NT$500", "禮品卡 NT$500", "Gift card NT$500"), 500, ()),),
    ),
)  # fmt: skip
