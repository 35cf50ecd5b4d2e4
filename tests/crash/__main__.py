import sys, time, shutil, collections, os
from pathlib import Path
from multiprocessing import get_context
from .trial import Workshop
from .variants import VARIANTS
from .states import first_states, State
base=Path('/dev/shm/crash/loop2'); shutil.rmtree(base,ignore_errors=True)
names=sys.argv[1:] or list(VARIANTS)
w=None
def init():
    global w; w=Workshop(base)
def expect(name): return w.expect(VARIANTS[name])
E={}
def go(a):
    s,e=a
    try: return s,w.try_state(s,e)[0].broken
    except AssertionError as x: return s,[('MACHINE',str(x)[:1500])]
with get_context('fork').Pool(2,init) as pool:
    for n,e in zip(names,pool.map(expect,names)): E[n]=e
    work=[(s,E[n]) for n in names for s in first_states(VARIANTS[n],E[n].calls)]
    print(len(work),{n:len(e.calls) for n,e in E.items()},flush=True)
    stride=int(os.environ.get('STRIDE','1')); work=work[::stride]
    t=time.time(); c=collections.Counter(); seen=collections.Counter()
    for i,(s,b) in enumerate(pool.imap_unordered(go,work,chunksize=4)):
        if i%500==499: print(i,(time.time()-t)/i,flush=True)
        for inv,text in b[:1]:
            c[s.variant,inv,s.mode]+=1
            seen[inv,s.mode]+=1
            if seen[inv,s.mode]<=3:
                e=E[s.variant]
                print(inv,s.command(),e.calls[s.at-1] if s.at<=len(e.calls) else 'end','\n    ',text[:900],flush=True)
for k,v in sorted(c.items()): print(k,v)
