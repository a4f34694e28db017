"""Matplotlib backend of a worker: Agg, whose `plt.show()` keeps each open figure as a picture.

Chosen by MPLBACKEND=module://vgpu_mpl. Pictures are <VGPU_OUTPUT>/figure-01.png, -02, …; a figure
is closed once it is kept, as a window would be.
"""

import os

from matplotlib.backend_bases import FigureManagerBase, _Backend
from matplotlib.backends.backend_agg import FigureCanvasAgg as _FigureCanvasAgg

MAX_FIGURES = 200
_count = 0


def _keep(manager):
    global _count
    _count += 1
    if _count > MAX_FIGURES:
        if _count == MAX_FIGURES + 1:
            print('vgpu: plt.show() has kept %d figures; later ones are left out' % MAX_FIGURES)
        return
    path = os.path.join(os.environ.get('VGPU_OUTPUT', '.'), 'figure-%02d.png' % _count)
    try:
        manager.canvas.figure.savefig(path)
    except OSError as error:
        print('vgpu: figure %d could not be kept: %s' % (_count, error))


class FigureManager(FigureManagerBase):
    def show(self):
        _keep(self)

    @classmethod
    def pyplot_show(cls, *, block=None):
        from matplotlib import pyplot
        from matplotlib._pylab_helpers import Gcf

        for manager in Gcf.get_all_fig_managers():
            manager.show()
            pyplot.close(manager.canvas.figure)


class FigureCanvas(_FigureCanvasAgg):
    manager_class = FigureManager


@_Backend.export
class _BackendVgpu(_Backend):
    backend_version = 'vgpu'
    FigureCanvas = FigureCanvas
    FigureManager = FigureManager
