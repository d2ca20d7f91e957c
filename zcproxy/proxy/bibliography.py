"""BibTeX of the papers that published proxies come from."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(r"(?:code of )?(?P<author>[\w-]+)(?: et al\.| and [\w-]+|),.*?\b(?P<year>20\d\d)(?=,|$)")
"""One paper in the text of an entry: its first author, and its year."""

_PREPRINT = "arXiv preprint"


@dataclass(frozen=True)
class Paper:
    """One paper.

    Attributes:
        authors: as BibTeX joins them.
        title: with braces around what keeps its capitals.
        venue: of a conference or a journal; empty for a preprint.
        year: of publication.
        arxiv: number there; empty where it has none.
        is_article: whether the venue is a journal.
    """

    authors: str
    title: str
    venue: str
    year: int
    arxiv: str = ""
    is_article: bool = False

    @property
    def surname(self) -> str:
        """The family name of the first author, without accents."""
        return re.sub(r"[{}\\']", "", self.authors.partition(",")[0])

    @property
    def key(self) -> str:
        """The key of the entry: family name, year and first word of the title."""
        word = re.sub(r"[^a-z]", "", self.title.split()[0].partition(":")[0].lower())
        return f"{re.sub(r'[^a-z]', '', self.surname.lower())}{self.year}{word}"

    def bibtex(self) -> str:
        """Return the entry."""
        kind, field = ("article", "journal") if self.is_article or not self.venue else ("inproceedings", "booktitle")
        fields = {
            "author": self.authors,
            "title": self.title,
            field: self.venue or f"{_PREPRINT} arXiv:{self.arxiv}",
            "year": str(self.year),
            **({"eprint": self.arxiv, "archiveprefix": "arXiv"} if self.arxiv else {}),
        }
        return "\n".join([f"@{kind}{{{self.key},", *(f"  {name} = {{{text}}}," for name, text in fields.items()), "}"])


NEURIPS, ICLR, ICML = (
    "Advances in Neural Information Processing Systems",
    "International Conference on Learning Representations",
    "International Conference on Machine Learning",
)
CVPR = "IEEE/CVF Conference on Computer Vision and Pattern Recognition"
ACL = "Annual Meeting of the Association for Computational Linguistics"

PAPERS = (
    Paper(
        "Abdelfattah, Mohamed S. and Mehrotra, Abhinav and Dudziak, {\\L}ukasz and Lane, Nicholas D.",
        "Zero-Cost Proxies for Lightweight {NAS}",
        ICLR,
        2021,
        "2101.08134",
    ),
    Paper(
        "Akhauri, Yash and Mu{\\~n}oz, J. Pablo and Jain, Nilesh and Iyer, Ravi",
        "{EZNAS}: Evolving Zero-Cost Proxies for Neural Architecture Scoring",
        NEURIPS,
        2022,
        "2209.07413",
    ),
    Paper(
        "Asthana, Rohan and Conrad, Joschua and Ortmanns, Maurits and Belagiannis, Vasileios",
        "{Dextr}: Zero-Shot Neural Architecture Search with Singular Value Decomposition and Extrinsic Curvature",
        "Transactions on Machine Learning Research",
        2025,
        "2508.12977",
        is_article=True,
    ),
    Paper(
        "Bhardwaj, Kartikeya and Cheng, Hsin-Pai and Priyadarshi, Sweta and Li, Zhuojin",
        "{ZiCo-BC}: A Bias Corrected Zero-Shot {NAS} for Vision Tasks",
        "IEEE/CVF International Conference on Computer Vision Workshops",
        2023,
        "2309.14666",
    ),
    Paper(
        "Casarin, Sofia and Escalera, Sergio and Lanz, Oswald",
        "{L-SWAG}: Layer-Sample Wise Activation with Gradients Information for Zero-Shot {NAS} on Vision Transformers",
        CVPR,
        2025,
        "2505.07300",
    ),
    Paper(
        "Cavagnero, Niccol{\\`o} and Robbiano, Luca and Caputo, Barbara and Averta, Giuseppe",
        "{FreeREA}: Training-Free Evolution-Based Architecture Search",
        "IEEE/CVF Winter Conference on Applications of Computer Vision",
        2023,
        "2207.05135",
    ),
    Paper(
        "Chen, Wuyang and Gong, Xinyu and Wang, Zhangyang",
        "Neural Architecture Search on {ImageNet} in Four {GPU} Hours: A Theoretically Inspired Perspective",
        ICLR,
        2021,
        "2102.11535",
    ),
    Paper(
        "Dong, Peijie and Li, Lujun and Wei, Zimian",
        "{DisWOT}: Student Architecture Search for Distillation without Training",
        CVPR,
        2023,
        "2303.15678",
    ),
    Paper(
        "Gracheva, Ekaterina",
        "Neural Architecture Search: Two Constant Shared Weights Initialisations",
        "Artificial Intelligence Review",
        2025,
        "2302.04406",
        is_article=True,
    ),
    Paper(
        "Husistein, Raphael T. and Reiher, Markus and Eckhoff, Marco",
        "{NEAR}: A Training-Free Pre-Estimator of Machine Learning Model Performance",
        ICLR,
        2025,
        "2408.08776",
    ),
    Paper(
        "Jiang, Tangyu and Wang, Haodi and Bie, Rongfang",
        "{MeCo}: Zero-Shot {NAS} with One Data and Single Forward Pass via Minimum Eigenvalue of Correlation",
        NEURIPS,
        2023,
    ),
    Paper(
        "Lee, Junghyup and Ham, Bumsub",
        "{AZ-NAS}: Assembling Zero-Cost Proxies for Network Architecture Search",
        CVPR,
        2024,
        "2403.19232",
    ),
    Paper(
        "Lee, Namhoon and Ajanthan, Thalaiyasingam and Torr, Philip H. S.",
        "{SNIP}: Single-Shot Network Pruning Based on Connection Sensitivity",
        ICLR,
        2019,
        "1810.02340",
    ),
    Paper(
        "Li, Guihong and Yang, Yuedong and Bhardwaj, Kartikeya and Marculescu, Radu",
        "{ZiCo}: Zero-Shot {NAS} via Inverse Coefficient of Variation on Gradients",
        ICLR,
        2023,
        "2301.11300",
    ),
    Paper(
        "Lin, Ming and Wang, Pichao and Sun, Zhenhong and Chen, Hesen and Sun, Xiuyu and Qian, Qi and Li, Hao and "
        "Jin, Rong",
        "{Zen-NAS}: A Zero-Shot {NAS} for High-Performance Image Recognition",
        "IEEE/CVF International Conference on Computer Vision",
        2021,
        "2102.01063",
    ),
    Paper(
        "Lopes, Vasco and Alirezazadeh, Saeid and Alexandre, Lu{\\'\\i}s A.",
        "{EPE-NAS}: Efficient Performance Estimation Without Training for Neural Architecture Search",
        "International Conference on Artificial Neural Networks",
        2021,
        "2102.08099",
    ),
    Paper(
        "Mellor, Joseph and Turner, Jack and Storkey, Amos and Crowley, Elliot J.",
        "Neural Architecture Search without Training",
        "",
        2020,
        "2006.04647v1",
    ),
    Paper(
        "Mellor, Joseph and Turner, Jack and Storkey, Amos and Crowley, Elliot J.",
        "Neural Architecture Search without Training",
        ICML,
        2021,
        "2006.04647",
    ),
    Paper(
        "Peng, Yameng and Song, Andy and Fayek, Haytham M. and Ciesielski, Vic and Chang, Xiaojun",
        "{SWAP-NAS}: Sample-Wise Activation Patterns for Ultra-Fast {NAS}",
        ICLR,
        2024,
        "2403.04161",
    ),
    Paper(
        "Serianni, Aaron and Kalita, Jugal",
        "Training-free Neural Architecture Search for {RNN}s and Transformers",
        ACL,
        2023,
        "2306.00288",
    ),
    Paper(
        "Tanaka, Hidenori and Kunin, Daniel and Yamins, Daniel L. K. and Ganguli, Surya",
        "Pruning Neural Networks without Any Data by Iteratively Conserving Synaptic Flow",
        NEURIPS,
        2020,
        "2006.05467",
    ),
    Paper(
        "Theis, Lucas and Korshunova, Iryna and Tejani, Alykhan and Husz{\\'a}r, Ferenc",
        "Faster Gaze Prediction with Dense Networks and {Fisher} Pruning",
        "",
        2018,
        "1801.05787",
    ),
    Paper(
        "T{\\'y}bl, Ond{\\v{r}}ej and Neumann, Luk{\\'a}{\\v{s}}",
        "Training-Free Neural Architecture Search through Variance of Knowledge of Deep Network Weights",
        CVPR,
        2025,
        "2502.04975",
    ),
    Paper(
        "Voita, Elena and Talbot, David and Moiseev, Fedor and Sennrich, Rico and Titov, Ivan",
        "Analyzing Multi-Head Self-Attention: Specialized Heads Do the Heavy Lifting, the Rest Can Be Pruned",
        ACL,
        2019,
        "1905.09418",
    ),
    Paper(
        "Wang, Chaoqi and Zhang, Guodong and Grosse, Roger",
        "Picking Winning Tickets Before Training by Preserving Gradient Flow",
        ICLR,
        2020,
        "2002.07376",
    ),
    Paper(
        "Zhang, Zhihao and Jia, Zhihao",
        "{GradSign}: Model Performance Inference with Theoretical Insights",
        ICLR,
        2022,
        "2110.08616",
    ),
    Paper(
        "Zhou, Qinqin and Sheng, Kekai and Zheng, Xiawu and Li, Ke and Sun, Xing and Tian, Yonghong and Chen, Jie and "
        "Ji, Rongrong",
        "Training-free Transformer Architecture Search",
        CVPR,
        2022,
        "2203.12217",
    ),
)
"""Papers whose authors and title we know in full; of another one, the package has what its entry says."""

_BY_AUTHOR = {(paper.surname, paper.year): paper for paper in PAPERS}


def papers_of(text: str) -> list[Paper]:
    """Return the papers that an entry of a published proxy names, in their order, as far as they are in `PAPERS`.

    Args:
        text: the entry's `paper`: papers separated by semicolons, each with its first author, its year behind it.
    """
    parts = (_PART.search(part) for part in text.split(";"))
    found = (_BY_AUTHOR.get((part["author"], int(part["year"]))) for part in parts if part is not None)
    return [paper for paper in dict.fromkeys(found) if paper is not None]
