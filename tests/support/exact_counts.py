"""Exact parameters and multiply-adds of the paper's networks and their variants, as data.

Each row was counted by hand-written formulas, apart from this package, and checked against
what others publish: torchvision's weights (18 to 152 B, v1.5), the prototxt files of the
authors' release (50 to 152 B) and the rounded numbers of the paper. Multiply-adds are of
convolutions and fully connected layers for one image of the paper's size.
"""

from typing import Any, NamedTuple


class Row(NamedTuple):
    """What `keras_resnet.count` must say of `keras_resnet.build(network, **options)`."""

    network: str
    options: dict[str, Any]
    trainable: int
    total: int
    macs: int
    macs_of_convolutions: int

    def __str__(self):
        return "-".join([self.network, *map(str, self.options.values())])


A, B, C = ({"shortcut": option} for option in "ABC")
V15 = {"stride_on": "3x3"}

# fmt: off
ROWS = [
    Row("plain18",          {},         11_515_688,  11_523_496,  1_794_805_760,  1_794_293_760),
    Row("resnet18",         A,          11_515_688,  11_523_496,  1_794_805_760,  1_794_293_760),
    Row("resnet18",         {},         11_689_512,  11_699_112,  1_814_073_344,  1_813_561_344),
    Row("resnet18",         B,          11_689_512,  11_699_112,  1_814_073_344,  1_813_561_344),
    Row("resnet18",         C,          12_043_816,  12_055_464,  1_878_298_624,  1_877_786_624),
    Row("plain34",          {},         21_623_848,  21_639_080,  3_644_493_824,  3_643_981_824),
    Row("resnet34",         A,          21_623_848,  21_639_080,  3_644_493_824,  3_643_981_824),
    Row("resnet34",         B,          21_797_672,  21_814_696,  3_663_761_408,  3_663_249_408),
    Row("resnet34",         C,          22_716_840,  22_739_624,  3_830_747_136,  3_830_235_136),
    Row("plain50",          {},         22_780_456,  22_825_896,  3_498_311_680,  3_496_263_680),
    Row("resnet50",         A,          22_780_456,  22_825_896,  3_498_311_680,  3_496_263_680),
    Row("resnet50",         {},         25_557_032,  25_610_152,  3_857_973_248,  3_855_925_248),
    Row("resnet50",         B,          25_557_032,  25_610_152,  3_857_973_248,  3_855_925_248),
    Row("resnet50",         C,          40_128_552,  40_204_200,  6_324_224_000,  6_322_176_000),
    Row("resnet50",         A | V15,    22_780_456,  22_825_896,  3_729_522_688,  3_727_474_688),
    Row("resnet50",         B | V15,    25_557_032,  25_610_152,  4_089_184_256,  4_087_136_256),
    Row("resnet50",         C | V15,    40_128_552,  40_204_200,  6_555_435_008,  6_553_387_008),
    Row("resnet101",        A,          41_772_584,  41_870_248,  7_210_532_864,  7_208_484_864),
    Row("resnet101",        B,          44_549_160,  44_654_504,  7_570_194_432,  7_568_146_432),
    Row("resnet101",        C,          76_981_288,  77_143_976, 13_530_300_416, 13_528_252_416),
    Row("resnet101",        B | V15,    44_549_160,  44_654_504,  7_801_405_440,  7_799_357_440),
    Row("resnet152",        A,          57_416_232,  57_559_976, 10_922_754_048, 10_920_706_048),
    Row("resnet152",        B,          60_192_808,  60_344_232, 11_282_415_616, 11_280_367_616),
    Row("resnet152",        C,         107_335_720, 107_575_208, 20_736_376_832, 20_734_328_832),
    Row("resnet152",        B | V15,    60_192_808,  60_344_232, 11_513_626_624, 11_511_578_624),
    Row("cifar_plain20",    {},            269_722,     271_098,     40_551_040,     40_550_400),
    Row("cifar_plain32",    {},            464_154,     466_426,     68_862_592,     68_861_952),
    Row("cifar_plain44",    {},            658_586,     661_754,     97_174_144,     97_173_504),
    Row("cifar_plain56",    {},            853_018,     857_082,    125_485_696,    125_485_056),
    Row("cifar_plain110",   {},          1_727_962,   1_736_058,    252_887_680,    252_887_040),
    Row("cifar_resnet20",   {},            269_722,     271_098,     40_551_040,     40_550_400),
    Row("cifar_resnet20",   A,             269_722,     271_098,     40_551_040,     40_550_400),
    Row("cifar_resnet20",   B,             272_474,     274_042,     40_813_184,     40_812_544),
    Row("cifar_resnet20",   C,             283_962,     286_010,     42_648_192,     42_647_552),
    Row("cifar_resnet32",   A,             464_154,     466_426,     68_862_592,     68_861_952),
    Row("cifar_resnet44",   A,             658_586,     661_754,     97_174_144,     97_173_504),
    Row("cifar_resnet56",   A,             853_018,     857_082,    125_485_696,    125_485_056),
    Row("cifar_resnet56",   B,             855_770,     860_026,    125_747_840,    125_747_200),
    Row("cifar_resnet56",   C,             900_858,     906_938,    132_301_440,    132_300_800),
    Row("cifar_resnet110",  A,           1_727_962,   1_736_058,    252_887_680,    252_887_040),
    Row("cifar_resnet110",  B,           1_730_714,   1_739_002,    253_149_824,    253_149_184),
    Row("cifar_resnet110",  C,           1_826_202,   1_838_330,    266_781_312,    266_780_672),
    Row("cifar_resnet1202", A,          19_421_274,  19_510_906,  2_829_238_912,  2_829_238_272),
    # torchvision's resnext50_32x4d has as many parameters, and 4.23 G multiply-adds.
    Row("resnext50_32x4d",  {},         25_028_904,  25_097_128,  4_230_479_872,  4_228_431_872),
]

# keras.applications gives its convolutions a bias each: another library's models, counted by us.
APPLICATIONS = {
    "ResNet50":  (25_583_592, 25_636_712,  3_857_973_248),
    "ResNet101": (44_601_832, 44_707_176,  7_570_194_432),
    "ResNet152": (60_268_520, 60_419_944, 11_282_415_616),
}
# fmt: on

# The systems in the paper's tables, and the ResNets' relatives. Checked against torchvision's
# VGGs, bvlc_googlenet, Cadene's BN-Inception, timm's resnet50c, resnet50d and resnetv2.
SEPARABLE = {"conv1": "separable"}
DEEP = V15 | {"stem": "deep"}

# fmt: off
SYSTEM_ROWS = [
    Row("vgg11",        {},         132_863_336, 132_863_336,  7_609_090_048,  7_485_456_384),
    Row("vgg11_lrn",    {},         132_863_336, 132_863_336,  7_609_090_048,  7_485_456_384),
    Row("vgg13",        {},         133_047_848, 133_047_848, 11_308_466_176, 11_184_832_512),
    Row("vgg16_1x1",    {},         133_638_952, 133_638_952, 11_770_888_192, 11_647_254_528),
    Row("vgg16",        {},         138_357_544, 138_357_544, 15_470_264_320, 15_346_630_656),
    Row("vgg19",        {},         143_667_240, 143_667_240, 19_632_062_464, 19_508_428_800),
    Row("googlenet",    {},           6_998_552,   6_998_552,  1_582_671_872,  1_581_647_872),
    Row("googlenet",    {"auxiliary": True},
                                     13_378_280,  13_378_280,  1_591_044_096,  1_583_777_792),
    Row("googlenet",    SEPARABLE,    6_991_856,   6_991_856,  1_498_677_248,  1_497_653_248),
    Row("prelu_net_a",  {},         178_032_072, 178_032_072, 19_058_106_368, 18_905_112_576),
    Row("prelu_net_b",  {},         183_343_048, 183_343_048, 23_219_904_512, 23_066_910_720),
    Row("prelu_net_c",  {},         330_623_944, 330_623_944, 53_463_130_112, 53_211_045_888),
    Row("bn_inception", {},          11_194_984,  11_214_888,  2_018_851_840,  2_017_827_840),
    Row("bn_inception", SEPARABLE,   11_188_288,  11_208_192,  1_934_857_216,  1_933_833_216),
    Row("bn_inception", {"pool_proj": 128},
                                     11_285_224,  11_305_256,  2_032_600_064,  2_031_576_064),
]
RELATIVES = [
    Row("resnet50",          DEEP,   25_576_264,  25_629_512,  4_328_824_832,  4_326_776_832),
    Row("resnet50",          DEEP | {"downsample": "avg"},
                                     25_576_264,  25_629_512,  4_328_824_832,  4_326_776_832),
    Row("preact_resnet50",   {},     25_549_352,  25_594_792,  3_857_973_248,  3_855_925_248),
    Row("preact_resnet101",  {},     44_541_480,  44_639_144,  7_570_194_432,  7_568_146_432),
    Row("preact_resnet152",  {},     60_185_128,  60_328_872, 11_282_415_616, 11_280_367_616),
    Row("preact_resnet200",  {},     64_666_152,  64_834_472, 14_776_270_848, 14_774_222_848),
    Row("preact_resnet164",  {},      1_703_258,   1_727_482,    244_500_992,    244_498_432),
    Row("preact_resnet1001", {},     10_327_706,  10_476_922,  1_487_849_984,  1_487_847_424),
    # keras.applications', counted by us.
    Row("resnet50v2",        {},     25_568_360,  25_613_800,  3_482_255_360,  3_480_207_360),
    Row("resnet101v2",       {},     44_577_896,  44_675_560,  7_194_476_544,  7_192_428_544),
    Row("resnet152v2",       {},     60_236_904,  60_380_648, 10_906_697_728, 10_904_649_728),
]
# BN-Inception with a bias in each convolution and projections of 128: Cadene's and imgclsmob's.
BIASED_BN_INCEPTION = (11_295_240, 11_315_272, 2_032_600_064)
# fmt: on
