// A picture of the graph that `backward()` walks along.
//
// The text is in the DOT language, which many viewers and editors draw. With Graphviz:
//
//     swift run -c release DrawGraph | dot -Tsvg > graph.svg

import Apus

let x = Tensor([[1.0, 2.0]])  // [1, 2]: data, no gradient wanted (dashed in the picture)
let w = Tensor([[0.5, -0.5, 1], [1, 0.25, 0]], requiresGrad: true)  // [2, 3]
let b = Tensor.zeros([3], requiresGrad: true)  // [3]

let y = (x.matmul(w) + b).tanh().sum()
print(graph(of: y, names: ["w": w, "b": b]), terminator: "")

// Prints:
// digraph apus {
//   rankdir=BT;
//   node [fontname="Helvetica"];
//   edge [fontname="Helvetica", fontsize=10];
//   result [label="[] float32", shape=oval, style=bold];
//   n0 [label="sum", shape=box];
//   n1 -> n0 [label="[1, 3] float32"];
//   n1 [label="tanh", shape=box];
//   n2 -> n1 [label="[1, 3] float32"];
//   n2 [label="add", shape=box];
//   n3 -> n2 [label="[1, 3] float32"];
//   n5 -> n2 [label="[3] float32"];
//   n3 [label="matmul", shape=box];
//   c0 [label="[1, 2] float32", shape=oval, style=dashed];
//   c0 -> n3 [label="[1, 2] float32"];
//   n4 -> n3 [label="[2, 3] float32"];
//   n4 [label="w\n[2, 3] float32", shape=oval];
//   n5 [label="b\n[3] float32", shape=oval];
//   n0 -> result [label="[] float32"];
// }
