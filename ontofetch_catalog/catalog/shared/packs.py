from .places import Place
class Packer:
    def __init__(self, objects, boundary_id): self.o=objects; self.b=boundary_id
    def put(self, new):
        for path, sha, size in new:
            key=f"{sha}.{self.b}"
            self.o.put(key, path, sha256=sha, size=size)
            yield Place(sha,size,key,0)
def fetch(objects, places, write):
    for p in places: write(p, objects.get(p.key,p.position,p.size))
