//! Vectors of RFC 9180, appendix A, base mode.

/// What each of them seals: "Beauty is truth, truth beauty", for "Ode on a Grecian Urn".
pub(super) const INFO: &[u8] = b"Ode on a Grecian Urn";
pub(super) const PLAIN: &[u8] = b"Beauty is truth, truth beauty";

/// One of them, in hex. The messages are the first three, with `Count-0`, `Count-1` and `Count-2` beside them; the exports
/// are of nothing, of a zero byte, and of `TestContext`, 32 bytes each.
pub(super) struct Vector {
    pub(super) section: &'static str,
    pub(super) codes: (u16, u16, u16),
    pub(super) material: &'static str,
    pub(super) private: &'static str,
    pub(super) public: &'static str,
    pub(super) encapsulated: &'static str,
    pub(super) sealed: [&'static str; 3],
    pub(super) exported: [&'static str; 3],
}

pub(super) const VECTORS: &[Vector] = &[
    Vector {
        section: "A.1.1",
        codes: (0x0020, 0x0001, 0x0001),
        material: "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037",
        private: "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
        public: "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
        encapsulated: "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
        sealed: [
            "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
            "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84",
            "498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb72516491588d96a19ad4a683518973dcc180",
        ],
        exported: [
            "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
            "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5",
            "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931",
        ],
    },
    Vector {
        section: "A.2.1",
        codes: (0x0020, 0x0001, 0x0003),
        material: "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df",
        private: "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
        public: "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
        encapsulated: "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
        sealed: [
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
            "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59992dc98c",
            "71146bd6795ccc9c49ce25dda112a48f202ad220559502cef1f34271e0cb4b02b4f10ecac6f48c32f878fae86b",
        ],
        exported: [
            "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e",
            "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69",
            "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53",
        ],
    },
    Vector {
        section: "A.3.1",
        codes: (0x0010, 0x0001, 0x0001),
        material: "668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550",
        private: "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
        public: "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0",
        encapsulated: "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4",
        sealed: [
            "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434",
            "fa6f037b47fc21826b610172ca9637e82d6e5801eb31cbd3748271affd4ecb06646e0329cbdf3c3cd655b28e82",
            "895cabfac50ce6c6eb02ffe6c048bf53b7f7be9a91fc559402cbc5b8dcaeb52b2ccc93e466c28fb55fed7a7fec",
        ],
        exported: [
            "5e9bc3d236e1911d95e65b576a8a86d478fb827e8bdfe77b741b289890490d4d",
            "6cff87658931bda83dc857e6353efe4987a201b849658d9b047aab4cf216e796",
            "d8f1ea7942adbba7412c6d431c62d01371ea476b823eb697e1f6e6cae1dab85a",
        ],
    },
    Vector {
        section: "A.5.1",
        codes: (0x0010, 0x0001, 0x0003),
        material: "61092f3f56994dd424405899154a9918353e3e008171517ad576b900ddb275e7",
        private: "a4d1c55836aa30f9b3fbb6ac98d338c877c2867dd3a77396d13f68d3ab150d3b",
        public: "04a697bffde9405c992883c5c439d6cc358170b51af72812333b015621dc0f40bad9bb726f68a5c013806a790ec716ab8669f84f6b694596c2987cf35baba2a006",
        encapsulated: "04c07836a0206e04e31d8ae99bfd549380b072a1b1b82e563c935c095827824fc1559eac6fb9e3c70cd3193968994e7fe9781aa103f5b50e934b5b2f387e381291",
        sealed: [
            "6469c41c5c81d3aa85432531ecf6460ec945bde1eb428cb2fedf7a29f5a685b4ccb0d057f03ea2952a27bb458b",
            "f1564199f7e0e110ec9c1bcdde332177fc35c1adf6e57f8d1df24022227ffa8716862dbda2b1dc546c9d114374",
            "39de89728bcb774269f882af8dc5369e4f3d6322d986e872b3a8d074c7c18e8549ff3f85b6d6592ff87c3f310c",
        ],
        exported: [
            "9b13c510416ac977b553bf1741018809c246a695f45eff6d3b0356dbefe1e660",
            "6c8b7be3a20a5684edecb4253619d9051ce8583baf850e0cb53c402bdcaf8ebb",
            "477a50d804c7c51941f69b8e32fe8288386ee1a84905fe4938d58972f24ac938",
        ],
    },
];
