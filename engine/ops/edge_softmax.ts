import { defineOp } from '../op.js';
import { ShapeError, dims, format } from '../shape.js';

/**
 * Edge weights of the complete graph of a row's fields: x [B,F,2] → y [B,F,F], y[i,j] = softmax over j ≠ i of
 * LeakyReLU(x[i,0] + x[j,1]), and 0 for j = i. Li et al., Fi-GNN, CIKM 2019, eq. 7-8. Throws ShapeError for a single
 * field, which has no edges.
 */
export const edgeSoftmax = defineOp('edge_softmax', ['x'], {
  shape({ x }, _: { readonly slope: number }) {
    const [batch, fields, parts] = dims(x, 3, 'edge_softmax: x');
    if (parts !== 2) throw new ShapeError(`edge_softmax: x ${format(x.shape)} is not [B,F,2]`);
    if (fields < 2) {
      throw new ShapeError(
        `edge_softmax: x ${format(x.shape)} has ${fields} field, but edges need 2 or more`,
      );
    }
    return [batch, fields, fields];
  },

  forward({ x, y }, run, { slope }) {
    const [batch, fields] = x.shape;
    run('edge_softmax_forward', { x, y }, { batch, fields, slope }, [Math.ceil(batch / 4)]);
  },

  backward({ x, y, dy, dx }, run, { slope }) {
    const [batch, fields] = x.shape;
    const over = [Math.ceil(batch / 4)];
    if (dx) run('edge_softmax_backward', { x, y_forward: y, dy, dx }, { batch, fields, slope }, over);
  },
});
