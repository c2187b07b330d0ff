"""The models in plain PyTorch, from their equations (models/*.ts name the papers), parameters named as ours are.

A model takes rows of the joint table [B,F] to logits [B,K]; `penalty` is what it adds to the loss.
"""

import torch
from torch import nn
from torch.nn.functional import leaky_relu, linear, softmax


class Table(nn.Module):
    """The joint table of all token fields. [B,F] -> [B,F,D]"""

    def __init__(self, features, dim):
        super().__init__()
        self.embedding = nn.Embedding(features, dim)
        nn.init.xavier_normal_(self.embedding.weight)

    def forward(self, rows):
        return self.embedding(rows)


class FirstOrder(nn.Module):
    """b + sum of w over the fields; one weight of each feature and class. [B,F] -> [B,K]"""

    def __init__(self, features, classes):
        super().__init__()
        self.token_embedding_table = Table(features, classes)
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, rows):
        return self.token_embedding_table(rows).sum(dim=1) + self.bias


class Mlp(nn.Module):
    """Dropout, linear, batch norm if asked for, activation: the last layer too."""

    def __init__(self, inner, widths, dropout, activation, norm=False):
        super().__init__()
        layers = []
        for inputs, outputs in zip([inner, *widths], widths):
            layers += [nn.Dropout(dropout), dense(inputs, outputs)]
            layers += [nn.BatchNorm1d(outputs)] if norm else []
            layers += [activation()]
        self.mlp_layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.mlp_layers(x)


def dense(inputs, outputs, bias=True):
    layer = nn.Linear(inputs, outputs, bias)
    nn.init.xavier_normal_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def weights(*shape, std=None):
    """Normal numbers, of xavier's deviation if no other is given."""
    w = nn.Parameter(torch.empty(*shape))
    return nn.Parameter(nn.init.xavier_normal_(w) if std is None else nn.init.normal_(w, std=std))


def pooled_pairs(e):
    """Sum over the pairs of fields of their elementwise products. [B,F,D] -> [B,D]"""
    return 0.5 * (e.sum(dim=1) ** 2 - (e**2).sum(dim=1))


class Model(nn.Module):
    """What RecBole's models all have, whether they look at it or not: a table and a first-order term."""

    def __init__(self, features, sizes, classes=1):
        super().__init__()
        self.classes, self.dim, self.fields = sizes["classes"], sizes["embeddingSize"], len(sizes["fields"])
        self.inner = self.fields * self.dim
        self.token_embedding_table = Table(features, self.dim)
        self.first_order_linear = FirstOrder(features, classes)

    def penalized(self):
        """Weight of the norms in the loss, and whose."""
        return 0, []

    def penalty(self):
        weight, parameters = self.penalized()
        return weight * sum(w.norm() for w in parameters) if weight > 0 else 0

    def matching(self, *prefixes, suffix=""):
        return [w for name, w in self.named_parameters() if name.startswith(prefixes) and name.endswith(suffix)]


class Machine(Model):
    """First-order term and pairs; with several classes, K weight vectors sum the pairs (models/fm.ts)."""

    def __init__(self, features, sizes):
        super().__init__(features, sizes, sizes["classes"])
        self.pair_layer = dense(self.dim, self.classes, bias=False) if self.classes > 1 else None

    def machine(self, rows, e):
        pairs = pooled_pairs(e)
        second = pairs.sum(dim=1, keepdim=True) if self.pair_layer is None else self.pair_layer(pairs)
        return self.first_order_linear(rows) + second


class LR(Model):
    def __init__(self, features, sizes):
        super().__init__(features, sizes, sizes["classes"])

    def forward(self, rows):
        return self.first_order_linear(rows)


class FM(Machine):
    def forward(self, rows):
        return self.machine(rows, self.token_embedding_table(rows))


class NFM(Model):
    def __init__(self, features, sizes):
        super().__init__(features, sizes)
        options = sizes.get("options", {})
        hidden = options.get("mlp_hidden_size", [64, 64, 64])
        self.bn = nn.BatchNorm1d(self.dim)
        self.mlp_layers = Mlp(self.dim, hidden, options.get("dropout_prob", 0.0), nn.Sigmoid, norm=True)
        self.predict_layer = dense(hidden[-1], self.classes, bias=self.classes > 1)

    def forward(self, rows):
        pooled = self.bn(pooled_pairs(self.token_embedding_table(rows)))
        return self.predict_layer(self.mlp_layers(pooled)) + self.first_order_linear(rows)


class WideDeep(Model):
    def __init__(self, features, sizes):
        super().__init__(features, sizes)
        options = sizes["options"]
        hidden = options["mlp_hidden_size"]
        self.mlp_layers = Mlp(self.inner, hidden, options["dropout_prob"], nn.ReLU)
        self.deep_predict_layer = dense(hidden[-1], self.classes)

    def forward(self, rows):
        deep = self.mlp_layers(self.token_embedding_table(rows).flatten(1))
        return self.deep_predict_layer(deep) + self.first_order_linear(rows)


class DeepFM(Machine):
    def __init__(self, features, sizes):
        super().__init__(features, sizes)
        options = sizes["options"]
        hidden = options["mlp_hidden_size"]
        self.mlp_layers = Mlp(self.inner, hidden, options["dropout_prob"], nn.ReLU)
        self.deep_predict_layer = dense(hidden[-1], self.classes)

    def forward(self, rows):
        e = self.token_embedding_table(rows)
        return self.machine(rows, e) + self.deep_predict_layer(self.mlp_layers(e.flatten(1)))


class Cross(Model):
    """Cross layers beside an MLP; `cross` is one layer."""

    def __init__(self, features, sizes, weight_shape, bias_shape, bias_name):
        super().__init__(features, sizes)
        options = sizes["options"]
        hidden, count = options["mlp_hidden_size"], options["cross_layer_num"]
        self.cross_layer_w = nn.ParameterList([weights(*weight_shape, std=1.0) for _ in range(count)])
        self.add_module(bias_name, nn.ParameterList([nn.Parameter(torch.zeros(bias_shape)) for _ in range(count)]))
        self.biases = lambda: getattr(self, bias_name)
        self.mlp_layers = Mlp(self.inner, hidden, options["dropout_prob"], nn.ReLU, norm=True)
        self.predict_layer = dense(self.inner + hidden[-1], self.classes)
        self.reg_weight = options["reg_weight"]

    def penalized(self):
        return self.reg_weight, self.cross_layer_w

    def forward(self, rows):
        x = x0 = self.token_embedding_table(rows).flatten(1)
        for w, b in zip(self.cross_layer_w, self.biases()):
            x = self.cross(x0, x, w, b)
        return self.predict_layer(torch.cat([x, self.mlp_layers(x0)], dim=1))


class DCN(Cross):
    def __init__(self, features, sizes):
        inner = len(sizes["fields"]) * sizes["embeddingSize"]
        super().__init__(features, sizes, [1, inner], [inner], "cross_layer_b")

    @staticmethod
    def cross(x0, x, w, b):
        return x0 * linear(x, w) + b + x


class DCNV2(Cross):
    """With weight matrices, parallel to the MLP."""

    def __init__(self, features, sizes):
        options = sizes["options"]
        if options["mixed"] or options["structure"] != "parallel":
            raise NotImplementedError("DCNV2 that is mixed or stacked")
        inner = len(sizes["fields"]) * sizes["embeddingSize"]
        super().__init__(features, sizes, [inner, inner], [inner], "bias")

    @staticmethod
    def cross(x0, x, w, b):
        return x0 * linear(x, w, b) + x


def attention(width, heads, dropout):
    layer = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
    nn.init.xavier_normal_(layer.out_proj.weight)
    return layer


def attend(layer, x):
    return layer(x, x, x, need_weights=False)[0]


class AutoInt(Model):
    def __init__(self, features, sizes):
        super().__init__(features, sizes)
        options = sizes["options"]
        width, hidden = options["attention_size"], options["mlp_hidden_size"]
        of_weights, dropout, _ = options["dropout_probs"]
        self.att_embedding = dense(self.dim, width)
        self.self_attns = nn.ModuleList(
            [attention(width, options["num_heads"], of_weights) for _ in range(options["n_layers"])]
        )
        self.v_res_embedding = dense(self.dim, width) if options["has_residual"] else None
        self.attn_fc = dense(self.fields * width, self.classes)
        self.mlp_layers = Mlp(self.inner, hidden, dropout, nn.ReLU)
        self.deep_predict_layer = dense(hidden[-1], self.classes)

    def forward(self, rows):
        e = self.token_embedding_table(rows)
        x = self.att_embedding(e)
        for layer in self.self_attns:
            x = attend(layer, x)
        if self.v_res_embedding is not None:
            x = x + self.v_res_embedding(e)
        deep = self.deep_predict_layer(self.mlp_layers(e.flatten(1)))
        return self.attn_fc(x.relu().flatten(1)) + deep + self.first_order_linear(rows)


class xDeepFM(Model):
    """Half of each CIN layer goes on, half to the result; the last one to the result alone."""

    def __init__(self, features, sizes):
        super().__init__(features, sizes)
        options = sizes["options"]
        if options["direct"]:
            raise NotImplementedError("xDeepFM that is direct")
        widths = [width - width % 2 for width in options["cin_layer_size"]]
        inputs = [self.fields, *[width // 2 for width in widths]]
        self.conv1d_list = nn.ModuleList(
            [nn.Conv1d(maps * self.fields, width, 1) for maps, width in zip(inputs, widths)]
        )
        self.cin_linear = dense(sum(width // 2 for width in widths[:-1]) + widths[-1], 1)
        hidden = [*options["mlp_hidden_size"], self.classes]
        self.mlp_layers = Mlp(self.inner, hidden, options["dropout_prob"], nn.ReLU)
        self.reg_weight = options["reg_weight"]

    def penalized(self):
        return self.reg_weight, self.matching("mlp_layers", "first_order_linear", "conv1d_list", suffix="weight")

    def cin(self, e):
        x, found = e, []
        for layer in self.conv1d_list:
            pairs = torch.einsum("bhd,bmd->bhmd", x, e).flatten(1, 2)
            y = layer(pairs).relu()
            x, kept = y.chunk(2, dim=1) if layer is not self.conv1d_list[-1] else (y, y)
            found.append(kept.sum(dim=2))
        return torch.cat(found, dim=1)

    def forward(self, rows):
        e = self.token_embedding_table(rows)
        return self.mlp_layers(e.flatten(1)) + self.cin_linear(self.cin(e)) + self.first_order_linear(rows)


class Messages(nn.Module):
    def __init__(self, fields, width):
        super().__init__()
        self.W_in, self.W_out = weights(fields, width, width), weights(fields, width, width)
        self.bias_p = nn.Parameter(torch.zeros(width))

    def forward(self, graph, h):
        told = torch.einsum("fij,bfj->bfi", self.W_out, h)
        return torch.einsum("fij,bfj->bfi", self.W_in, graph @ told) + self.bias_p


class FiGNN(Model):
    def __init__(self, features, sizes):
        super().__init__(features, sizes)
        options = sizes["options"]
        width = self.width = options["attention_size"]
        self.att_embedding = dense(self.dim, width)
        self.dropout = nn.Dropout(options["hidden_dropout_prob"])
        self.self_attn = attention(width, options["num_heads"], options["attn_dropout_prob"])
        self.v_res_embedding = dense(self.dim, width)
        self.gnn = nn.ModuleList([Messages(self.fields, width) for _ in range(options["n_layers"] - 1)])
        self.W_attn = dense(2 * width, 1, bias=False)
        self.gru_cell = nn.GRUCell(width, width)
        # Those of all classes in one.
        self.mlp1 = dense(width, self.classes, bias=False)
        self.mlp2 = dense(self.fields * width, self.classes * self.fields, bias=False)
        self.register_buffer("itself", torch.eye(self.fields, dtype=torch.bool), persistent=False)

    def edges(self, a):
        source, target = linear(a, self.W_attn.weight.view(2, self.width)).unbind(dim=2)
        scores = leaky_relu(source.unsqueeze(2) + target.unsqueeze(1), 0.01)
        return softmax(scores.masked_fill(self.itself, float("-inf")), dim=2)

    def forward(self, rows):
        e = self.token_embedding_table(rows)
        a = (attend(self.self_attn, self.dropout(self.att_embedding(e))) + self.v_res_embedding(e)).relu()
        graph, h = self.edges(a), a
        for messages in self.gnn:
            told = messages(graph, h).reshape(-1, self.width)
            h = self.gru_cell(told, h.reshape(-1, self.width)).view_as(a) + a
        weight = self.mlp2(h.flatten(1)).view(-1, self.classes, self.fields)
        return (weight * self.mlp1(h).transpose(1, 2)).sum(dim=2)


class EulerLayer(nn.Module):
    def __init__(self, fields, orders, dim, options):
        super().__init__()
        self.inter_orders = nn.Parameter(softmax(torch.randn(fields, orders) / 0.01, dim=0))
        self.bias_lam, self.bias_theta = weights(1, dim, orders, std=0.01), weights(1, dim, orders, std=0.01)
        self.im = nn.Linear(fields * dim, orders * dim)
        nn.init.normal_(self.im.weight, std=0.1)
        nn.init.zeros_(self.im.bias)
        self.drop_ex, self.drop_im = nn.Dropout(options["drop_ex"]), nn.Dropout(options["drop_im"])
        self.norm_r, self.norm_p = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.norm = options["apply_norm"]

    def mixed(self, x, bias):
        return (self.drop_ex(x).transpose(1, 2) @ self.inter_orders + bias).transpose(1, 2)

    def implicit(self, x, shape):
        return self.im(self.drop_im(x).flatten(1)).relu().view(shape)

    def forward(self, r, p):
        length = self.mixed(0.5 * (r**2 + p**2 + 1e-8).log(), self.bias_lam).exp()
        angle = self.mixed(torch.atan2(p, r), self.bias_theta)
        real = self.implicit(r, length.shape) + length * angle.cos()
        imaginary = self.implicit(p, length.shape) + length * angle.sin()
        return (self.norm_r(real), self.norm_p(imaginary)) if self.norm else (real, imaginary)


class EulerNet(Model):
    def __init__(self, features, sizes):
        super().__init__(features, sizes)
        options = sizes["options"]
        orders = options["order_list"]
        self.mu = nn.Parameter(torch.ones(1, self.fields, 1))
        self.Euler_interaction_layers = nn.ModuleList(
            [EulerLayer(inputs, count, self.dim, options) for inputs, count in zip([self.fields, *orders], orders)]
        )
        self.reg = nn.Linear(orders[-1] * self.dim, self.classes)
        nn.init.normal_(self.reg.weight, std=0.01)
        nn.init.zeros_(self.reg.bias)
        self.reg_weight = options["reg_weight"]

    def penalized(self):
        return self.reg_weight, self.matching("mu", "Euler_interaction_layers", "reg.")

    def forward(self, rows):
        e = self.token_embedding_table(rows)
        r, p = self.mu * e.cos(), self.mu * e.sin()
        for layer in self.Euler_interaction_layers:
            r, p = layer(r, p)
        return self.reg(r.flatten(1)) + self.reg(p.flatten(1))


MODELS = {
    model.__name__: model
    for model in (LR, FM, NFM, WideDeep, DeepFM, DCN, DCNV2, AutoInt, xDeepFM, FiGNN, EulerNet)
}
