"""Distances of semantic and of sample relations between a student and its teacher, before any training."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="diswot",
    formula=(
        "0 - last(channel_relation_distance(grad(weight)@data, grad(weight)@teacher)"
        " + relation_distance(sample_gram(features@data), sample_gram(features@teacher)))"
    ),
    paper="Dong et al., DisWOT: Student architecture search for distillation without training, CVPR 2023",
    reads_teacher=True,
    note=(
        "needs a teacher; of the classifier's gradient and of the maps that are pooled before it, as in the core code "
        "of the authors' README. NaN where teacher and student have classifiers of different shapes. It is to "
        "predict the accuracy of a distilled student, not of one trained alone. The classifier's initialisation "
        "decides: on the authors' 64 students Spearman is .50 with torch's own, .82 with weights from N(0, 1)"
    ),
    authors=Authors(
        "lilujunai/DisWOT-CVPR2023, exps/parse_s1_zc.py",
        batch_size=128,
        rule="normal",
        note="the teacher's weights are drawn from N(0, 1) too: give a teacher that has such weights",
    ),
)
